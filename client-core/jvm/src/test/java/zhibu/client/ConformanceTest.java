package zhibu.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.ByteString;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import zhibu.api.v1.Advice;
import zhibu.api.v1.EnrolOptions;
import zhibu.api.v1.SessionOptions;

/** The script that every language runs (tests/conformance), by native methods and the mover. */
@ExtendWith(NothingLeftOpen.class)
class ConformanceTest {
  private static final SessionOptions ONCE = SessionOptions.newBuilder().setOnce(true).build();

  private final Kept kept = new Kept();
  private final Map<String, Store> stores = new HashMap<>();
  private final Map<String, Long> handles = new HashMap<>();
  @TempDir Path folder;
  private Township township;
  private String about = "";
  private long chance;

  @Test
  void theScriptComesOutAsItSays() throws Exception {
    try (Township begun = new Township()) {
      township = begun;
      township.ready().entrySet().forEach(said -> kept.keep(said.getKey(), said.getValue()));
      runAll(JsonParser.parseString(Files.readString(Path.of("../../tests/conformance/script.json"))).getAsJsonArray());
    } finally {
      stores.values().forEach(Store::close);
    }
  }

  private void runAll(JsonArray steps) throws Exception {
    for (JsonElement step : steps) {
      try {
        run(step.getAsJsonObject());
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(about + "\n" + step, e);
      }
    }
  }

  private void run(JsonObject step) throws Exception {
    if (step.has("say")) {
      about = step.get("say").getAsString();
    } else if (step.has("repeat")) {
      repeat(step);
    } else if (step.has("enrol")) {
      enrol(step);
    } else if (step.has("call")) {
      call(step);
    } else if (step.has("sync")) {
      sync(step);
    } else if (step.has("cut")) {
      cut(step);
    } else {
      String what = step.keySet().iterator().next();
      found(step, township.ask(what, kept.said(step.get(what))));
    }
  }

  private void repeat(JsonObject step) throws Exception {
    chance = step.get("seed").getAsLong();
    for (int round = 1; round <= step.get("repeat").getAsInt(); ++round) {
      kept.keep("round", new JsonPrimitive(round));
      runAll(step.getAsJsonArray("steps"));
    }
  }

  private Store store(JsonObject step) {
    return stores.computeIfAbsent(step.get("device").getAsString(), device ->
        Store.open(folder.resolve(device), Arrays.copyOf(device.getBytes(), 32)));
  }

  private void enrol(JsonObject step) {
    EnrolOptions options = EnrolOptions.newBuilder()
        .setCode(kept.said(step.get("enrol")).getAsString())
        .setDeviceName(step.get("device").getAsString())
        .build();
    expectRefusal(step, () -> Mover.enrol(store(step), options, new GrpcTransport(), Duration.ofSeconds(20)));
  }

  // ---- One function ----

  private void call(JsonObject step) throws Exception {
    String name = NativeTest.nativeName(step.get("call").getAsString());
    Method function = Arrays.stream(Native.class.getDeclaredMethods())
        .filter(method -> method.getName().equals(name))
        .findFirst()
        .orElseThrow();
    List<Object> given = new ArrayList<>();
    given.add(step.has("on") ? handles.get(step.get("on").getAsString()) : store(step).handle());
    if (step.has("with")) {
      kept.said(step.get("with")).getAsJsonArray().forEach(argument -> given.add(bytes(argument.getAsJsonObject())));
    }
    Object[] back = new Object[1];
    expectRefusal(step, () -> back[0] = invoke(function, given));
    if (step.has("opens")) handles.put(step.get("opens").getAsString(), (Long) back[0]);
    if (step.has("gives")) found(step, given(step.get("gives").getAsString(), (byte[]) back[0]));
  }

  private static Object invoke(Method function, List<Object> given) {
    try {
      return function.invoke(null, given.toArray());
    } catch (InvocationTargetException e) {
      throw (RuntimeException) e.getCause();
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] bytes(JsonObject argument) {
    String kind = argument.keySet().iterator().next();
    JsonElement value = argument.get(kind);
    if (kind.equals("text")) return Handle.utf8(value.getAsString());
    if (kind.equals("bytes")) return Base64.getDecoder().decode(value.getAsString());
    return Zhibu.fromJson(typeOf(kind), Kept.recordsAsText(value).toString()).toByteArray();
  }

  private static JsonElement given(String kind, byte[] bytes) {
    if (kind.equals("text")) return new JsonPrimitive(Handle.text(bytes));
    if (kind.equals("bytes")) return new JsonPrimitive(Base64.getEncoder().encodeToString(bytes));
    return Kept.recordsAsObjects(JsonParser.parseString(Zhibu.toJson(typeOf(kind), ByteString.copyFrom(bytes))));
  }

  private static String typeOf(String name) {
    return name.contains(".") ? name : "zhibu.api.v1." + name;
  }

  // ---- A session ----

  private void sync(JsonObject step) throws Exception {
    Store store = store(step);
    CompletableFuture<Mover> begun = new CompletableFuture<>();
    List<Advice> said = new ArrayList<>();
    int frames = step.has("suspend_after") ? step.get("suspend_after").getAsInt() : -1;
    Mover mover = Mover.start(store, ONCE, new CutTransport(frames, store::suspend), advice -> {
      said.add(advice);
      if (advice.getWhat() == Advice.What.WAIT) wake(step, store, begun.join());
    });
    begun.complete(mover);
    Advice end = mover.end().get(60, TimeUnit.SECONDS);
    mover.close();
    assertEquals(kept.said(step.get("sync")).getAsString(), end.getWhat().name());
    if (step.has("why")) expect(step.get("why"), errorOf(end.getWhy()));
    long connects = said.stream().filter(advice -> advice.getWhat() == Advice.What.CONNECT).count();
    if (step.has("connects")) assertEquals(step.get("connects").getAsInt(), connects);
    boolean slept = said.stream().anyMatch(advice -> advice.getWhat() == Advice.What.WAIT);
    assertEquals(step.has("suspend_after"), slept);
  }

  /** On the mover's thread, which has been told to wait. */
  private void wake(JsonObject step, Store store, Mover mover) {
    try {
      runAll(step.getAsJsonArray("meanwhile"));
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    store.resume();
    mover.hurry();
  }

  private void cut(JsonObject step) throws Exception {
    chance = 48271 * chance % 2147483647;
    CutTransport transport = CutTransport.breakingAfter((int) (chance % step.get("cut").getAsInt()));
    try (Mover mover = Mover.start(store(step), ONCE, transport)) {
      Advice.What what = mover.end().get(60, TimeUnit.SECONDS).getWhat();
      // Where frames came together it may have needed no more of them.
      assertEquals(transport.wasCut() ? Advice.What.STOP : Advice.What.DONE, what);
    }
  }

  // ---- What comes out ----

  private void found(JsonObject step, JsonElement found) {
    if (step.has("expect")) expect(step.get("expect"), found);
    if (!step.has("keep")) return;
    step.getAsJsonObject("keep").entrySet()
        .forEach(name -> kept.keep(name.getKey(), Kept.at(found, name.getValue().getAsString())));
  }

  private void expect(JsonElement expected, JsonElement found) {
    assertNull(Kept.otherwise(kept.said(expected), found, "found"));
  }

  private void expectRefusal(JsonObject step, Runnable call) {
    try {
      call.run();
    } catch (ZhibuException e) {
      if (!step.has("refused")) throw e;
      expect(step.get("refused"), errorOf(e.error()));
      return;
    }
    assertTrue(!step.has("refused"), "it was not refused");
  }

  private static JsonElement errorOf(zhibu.api.v1.Error error) {
    return given("Error", error.toByteArray());
  }
}
