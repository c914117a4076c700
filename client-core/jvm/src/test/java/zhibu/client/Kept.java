package zhibu.client;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a script has found and kept, and its way of speaking of JSON (tests/conformance/README.md). */
final class Kept {
  private static final Pattern NAME = Pattern.compile("\\$\\{([^}]+)}");
  private static final Set<String> NOTHING = Set.of("", "0", "false");

  private final JsonObject kept = new JsonObject();

  void keep(String name, JsonElement value) {
    kept.add(name, value);
  }

  /** What is said, with what was kept in the places of its names. */
  JsonElement said(JsonElement words) {
    if (words.isJsonObject()) {
      JsonObject said = new JsonObject();
      words.getAsJsonObject().entrySet().forEach(member -> said.add(member.getKey(), said(member.getValue())));
      return said;
    }
    if (words.isJsonArray()) {
      JsonArray said = new JsonArray();
      words.getAsJsonArray().forEach(element -> said.add(said(element)));
      return said;
    }
    if (!words.isJsonPrimitive() || !words.getAsJsonPrimitive().isString()) return words;
    Matcher name = NAME.matcher(words.getAsString());
    if (name.matches()) return at(kept, name.group(1));
    return new JsonPrimitive(name.replaceAll(found -> Matcher.quoteReplacement(at(kept, found.group(1)).getAsString())));
  }

  /** Members and places are joined by dots; null where nothing is. */
  static JsonElement at(JsonElement found, String path) {
    for (String step : path.split("\\.")) {
      if (found == null || step.isEmpty()) return found;
      found = found.isJsonArray()
          ? found.getAsJsonArray().get(Integer.parseInt(step))
          : found.getAsJsonObject().get(step);
    }
    return found;
  }

  /** Where what was found is not as expected; null where it is. */
  static String otherwise(JsonElement expected, JsonElement found, String where) {
    if (expected.isJsonNull()) return found == null ? null : where + " is there";
    if (expected.isJsonObject()) {
      for (String name : expected.getAsJsonObject().keySet()) {
        JsonElement member = found == null ? null : found.getAsJsonObject().get(name);
        String other = otherwise(expected.getAsJsonObject().get(name), member, where + "." + name);
        if (other != null) return other;
      }
      return null;
    }
    if (expected.isJsonArray()) {
      JsonArray wanted = expected.getAsJsonArray();
      String other = lengthOtherwise(wanted.size(), found, where);
      for (int i = 0; other == null && i < wanted.size(); ++i) {
        other = otherwise(wanted.get(i), found.getAsJsonArray().get(i), where + "." + i);
      }
      return other;
    }
    if (found != null && found.isJsonArray()) return lengthOtherwise(expected.getAsInt(), found, where);
    if (found == null && NOTHING.contains(expected.getAsString())) return null;
    boolean same = found != null && found.isJsonPrimitive() && expected.getAsString().equals(found.getAsString());
    return same ? null : where + " is " + found + ", not " + expected;
  }

  private static String lengthOtherwise(int length, JsonElement found, String where) {
    int has = found == null ? 0 : found.getAsJsonArray().size();
    return has == length ? null : where + " has " + has + ", not " + length + ": " + found;
  }

  /** Records in messages are text there, and objects in the script. */
  static JsonElement recordsAsText(JsonElement said) {
    return records(said, true);
  }

  static JsonElement recordsAsObjects(JsonElement found) {
    return records(found, false);
  }

  private static JsonElement records(JsonElement in, boolean asText) {
    if (in.isJsonArray()) {
      JsonArray out = new JsonArray();
      in.getAsJsonArray().forEach(element -> out.add(records(element, asText)));
      return out;
    }
    if (!in.isJsonObject()) return in;
    JsonObject out = new JsonObject();
    in.getAsJsonObject().entrySet().forEach(member -> {
      JsonElement value = member.getValue();
      boolean record = member.getKey().equals("json") && value.isJsonObject() == asText && !isFlag(value);
      out.add(member.getKey(), record ? turned(value, asText) : records(value, asText));
    });
    return out;
  }

  /** Query.json: that the record is asked for. */
  private static boolean isFlag(JsonElement value) {
    return value.isJsonNull() || value.isJsonPrimitive() && value.getAsJsonPrimitive().isBoolean();
  }

  private static JsonElement turned(JsonElement value, boolean asText) {
    return asText ? new JsonPrimitive(value.toString()) : JsonParser.parseString(value.getAsString());
  }
}
