package zhibu.client;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;

/** A township with a real server (tests/conformance/township.py), which ends with this. */
final class Township implements AutoCloseable {
  private final Process process;
  private final BufferedReader from;
  private final Writer to;
  private final JsonObject ready;

  Township() throws IOException {
    process = new ProcessBuilder("python3", "../../tests/conformance/township.py")
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
    from = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    to = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8);
    ready = read();
  }

  /** Address, fingerprint and codes, as it says them. */
  JsonObject ready() {
    return ready;
  }

  String code(String person) {
    return ready.getAsJsonObject("codes").get(person).getAsString();
  }

  void server(String what) {
    ask("server", new JsonPrimitive(what));
  }

  /** What it answers with. */
  JsonElement ask(String what, JsonElement given) {
    JsonObject command = new JsonObject();
    command.add(what, given);
    try {
      to.write(command + "\n");
      to.flush();
      JsonObject answer = read();
      if (answer.has("error")) throw new AssertionError(command + ": " + answer);
      return answer.get("out");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private JsonObject read() throws IOException {
    String line = from.readLine();
    if (line == null) throw new IOException("the township has ended");
    return JsonParser.parseString(line).getAsJsonObject();
  }

  @Override
  public void close() throws IOException {
    to.close();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
