package zhibu.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import zhibu.api.v1.Advice;
import zhibu.api.v1.EnrolCall;
import zhibu.api.v1.EnrolOptions;
import zhibu.api.v1.Query;
import zhibu.api.v1.SessionOptions;
import zhibu.records.v1.Meeting;
import zhibu.sync.v1.Reason;

/** A real server, and a device of its secretary's. */
@ExtendWith(NothingLeftOpen.class)
class MoverTest {
  private static final byte[] KEY = "0123456789abcdef0123456789abcdef".getBytes();
  private static final SessionOptions ONCE = SessionOptions.newBuilder().setOnce(true).build();
  private static final SessionOptions STAY = SessionOptions.getDefaultInstance();
  private static final Duration SOON = Duration.ofSeconds(10);

  private final Transport transport = new GrpcTransport();
  @TempDir Path folder;
  private Township township;
  private Store store;

  @BeforeEach
  void enrol() throws IOException {
    township = new Township();
    store = Store.open(folder.resolve("store"), KEY);
    Mover.enrol(store, enrolment(township.code("secretary")), transport, SOON);
  }

  @AfterEach
  void close() throws IOException {
    store.close();
    township.close();
  }

  private static EnrolOptions enrolment(String code) {
    return EnrolOptions.newBuilder().setCode(code).setDeviceName("手机").build();
  }

  private void meet(String topic) {
    ByteString branch = store.list(Query.newBuilder().setType("Organisation").build()).getRows(0).getId();
    store.save(store.newRecord("Meeting"), Meeting.newBuilder().setBranchId(branch).setTopic(topic).build());
  }

  private void await(BlockingQueue<Advice> said, Advice.What what) throws InterruptedException {
    for (Advice advice = Advice.getDefaultInstance(); advice.getWhat() != what; ) {
      advice = said.poll(20, TimeUnit.SECONDS);
      assertTrue(advice != null, "it has not come: " + what);
    }
  }

  private void awaitUnsent(long unsent) throws InterruptedException {
    for (int i = 0; store.state().getUnsent() != unsent; ++i) {
      assertTrue(i < 200, "still unsent: " + store.state().getUnsent());
      Thread.sleep(50);
    }
  }

  @Test
  void onceItEndsInStep() throws Exception {
    assertEquals(Advice.What.DONE, Mover.start(store, ONCE, transport).end().get().getWhat());
    assertTrue(store.state().getSynced());
    assertTrue(store.state().getLastSuccessMs() > 0);
  }

  @Test
  void whatIsCommittedWhileItStaysGoesOut() throws Exception {
    BlockingQueue<Advice> said = new LinkedBlockingQueue<>();
    try (Mover mover = Mover.start(store, STAY, transport, said::add)) {
      await(said, Advice.What.IDLE);
      for (int i = 0; !store.state().getSynced(); ++i) {
        assertTrue(i < 200);
        Thread.sleep(50);
      }
      meet("七月党员大会");
      awaitUnsent(0);
      assertFalse(mover.end().isDone());
    }
  }

  @Test
  void withoutAServerItWaitsAndHurriedItFindsTheServerAgain() throws Exception {
    assertEquals(Advice.What.DONE, Mover.start(store, ONCE, transport).end().get().getWhat());
    township.server("stop");
    meet("七月党员大会");
    BlockingQueue<Advice> said = new LinkedBlockingQueue<>();
    try (Mover mover = Mover.start(store, STAY, transport, said::add)) {
      await(said, Advice.What.WAIT);
      assertEquals(Reason.OFFLINE, store.state().getProblem().getReason());
      township.server("start");
      mover.hurry();
      awaitUnsent(0);
      township.server("kill");
      await(said, Advice.What.WAIT);
    }
  }

  @Test
  void asleepItClosesItsStreamAndAwakeItGoesOn() throws Exception {
    BlockingQueue<Advice> said = new LinkedBlockingQueue<>();
    try (Mover mover = Mover.start(store, STAY, transport, said::add)) {
      await(said, Advice.What.IDLE);
      store.suspend();
      mover.hurry();
      await(said, Advice.What.WAIT);
      store.resume();
      mover.hurry();
      await(said, Advice.What.CONNECT);
      await(said, Advice.What.IDLE);
    }
  }

  @Test
  void aStreamThatSaysNothingIsGivenUp() throws Exception {
    Transport deaf = new Transport() {
      @Override
      public Stream open(Advice connect, Executor executor, Listener listener) {
        return new Stream() {
          @Override
          public boolean isReady() {
            return true;
          }

          @Override
          public void send(byte[] frame) {}

          @Override
          public void close() {}
        };
      }

      @Override
      public byte[] enrol(EnrolCall call, Duration timeout) {
        throw new UnsupportedOperationException();
      }
    };
    Advice end = Mover.start(store, ONCE, deaf, 1, advice -> {}).end().get(20, TimeUnit.SECONDS);
    assertEquals(Advice.What.STOP, end.getWhat());
    assertEquals(Reason.OFFLINE, end.getWhy().getReason());
  }

  @Test
  void aServerThatDoesNotAnswerTheCallIsGivenUp() throws Exception {
    try (ServerSocket silent = new ServerSocket(0); Store other = Store.open(folder.resolve("other"), KEY)) {
      String code = township.code("deputy").replace(
          township.ready().get("address").getAsString(), "127.0.0.1:" + silent.getLocalPort());
      EnrolOptions options = enrolment(code);
      ZhibuException refusal =
          assertThrows(ZhibuException.class, () -> Mover.enrol(other, options, transport, Duration.ofMillis(500)));
      assertEquals(Reason.OFFLINE, refusal.reason());
    }
  }

  @Test
  void anotherServerThanTheOneWhoseCertificateIsKnownIsSaidSo() {
    try (Store other = Store.open(folder.resolve("other"), KEY)) {
      String code = township.code("deputy").replace(township.ready().get("fingerprint").getAsString(), "0".repeat(64));
      EnrolOptions options = enrolment(code);
      ZhibuException refusal = assertThrows(ZhibuException.class, () -> Mover.enrol(other, options, transport, SOON));
      assertEquals(Reason.OTHER_SERVER, refusal.reason());
    }
  }

  @Test
  void closedOrItsStoreClosedItEnds() {
    Mover mover = Mover.start(store, STAY, transport);
    mover.close();
    mover.close();
    assertThrows(CancellationException.class, () -> mover.end().get());
    Mover second = Mover.start(store, STAY, transport);
    store.close();
    assertThrows(CancellationException.class, () -> second.end().get(10, TimeUnit.SECONDS));
    second.close();
  }
}
