package zhibu.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import zhibu.api.v1.Difference;
import zhibu.api.v1.EditItem;
import zhibu.api.v1.EditRequest;
import zhibu.api.v1.EnrolOptions;
import zhibu.api.v1.Query;
import zhibu.api.v1.RecordRef;
import zhibu.api.v1.Row;
import zhibu.api.v1.SessionOptions;
import zhibu.records.v1.Meeting;
import zhibu.sync.v1.Reason;

@ExtendWith(NothingLeftOpen.class)
class StoreTest {
  private static final byte[] KEY = "0123456789abcdef0123456789abcdef".getBytes();
  private static final ByteString BRANCH = ByteString.copyFrom(new byte[15]).concat(ByteString.copyFrom(new byte[] {1}));
  private static final Query MEETINGS = Query.newBuilder().setType("Meeting").build();

  @TempDir Path folder;

  private Store open() {
    return Store.open(folder.resolve("store"), KEY);
  }

  private static ByteString meet(Store store, String topic) {
    Meeting meeting = Meeting.newBuilder().setBranchId(BRANCH).setTopic(topic).build();
    return store.save(store.newRecord("Meeting"), meeting).getIds(0);
  }

  private static Row get(Store store, ByteString id) {
    return store.get(RecordRef.newBuilder().setType("Meeting").setId(id).build());
  }

  @Test
  void whatIsSavedWithoutANetworkIsThereAfterTheAppWasEnded() throws Exception {
    ByteString id;
    try (Store store = open()) {
      id = meet(store, "七月党员大会");
    }
    try (Store store = open()) {
      Row row = get(store, id);
      assertEquals("七月党员大会", Meeting.parseFrom(row.getBody()).getTopic());
      assertTrue(row.getMarks().getPending());
      assertEquals(1, store.state().getUnsent());
    }
  }

  @Test
  void anEditOfOneFieldLeavesTheOthers() throws Exception {
    try (Store store = open()) {
      ByteString id = meet(store, "七月党员大会");
      store.commit(EditRequest.newBuilder()
          .addItems(EditItem.newBuilder().setSeen(get(store, id).getSeen()).setJson("{\"place\": \"礼堂\"}").addFields("place"))
          .build());
      Meeting meeting = Meeting.parseFrom(get(store, id).getBody());
      assertEquals("七月党员大会", meeting.getTopic());
      assertEquals("礼堂", meeting.getPlace());
    }
  }

  @Test
  void aRefusalHasAReasonForTheProgramAndWordsForPeople() {
    try (Store store = open()) {
      ZhibuException refusal = assertThrows(ZhibuException.class, store::identity);
      assertEquals(Reason.NOT_ENROLLED, refusal.reason());
      assertNotEquals(0, refusal.code());
      assertFalse(refusal.wordsZh().isEmpty());
      assertFalse(refusal.wordsEn().isEmpty());
      refusal = assertThrows(ZhibuException.class, () -> get(store, BRANCH));
      assertEquals(Reason.NOT_HERE, refusal.reason());
    }
  }

  @Test
  void withAnotherKeyNothingIsOpened() {
    open().close();
    ZhibuException refusal = assertThrows(ZhibuException.class, () -> Store.open(folder.resolve("store"), new byte[32]));
    assertEquals(Reason.WRONG_KEY, refusal.reason());
  }

  @Test
  void aNewKeyOpensItAndTheOldOneDoesNot() {
    byte[] next = "fedcba9876543210fedcba9876543210".getBytes();
    try (Store store = open()) {
      store.rekey(next);
    }
    assertThrows(ZhibuException.class, this::open);
    Store.open(folder.resolve("store"), next).close();
  }

  @Test
  void whatIsClosedThrowsAndMayBeClosedAgain() {
    Store store = open();
    Watch watch = store.watch(MEETINGS);
    Session session = store.session(SessionOptions.getDefaultInstance());
    Events events = store.events(() -> {});
    watch.close();
    assertTrue(assertThrows(ZhibuException.class, watch::next).isClosed());
    store.close();
    store.close();
    assertTrue(assertThrows(ZhibuException.class, store::state).isClosed());
    assertTrue(assertThrows(ZhibuException.class, session::advice).isClosed());
    assertTrue(assertThrows(ZhibuException.class, events::next).isClosed());
    session.close();
    events.close();
    // Whatever has been opened since.
    try (Store other = open()) {
      assertThrows(ZhibuException.class, store::state);
      assertEquals(0, other.state().getUnsent());
    }
  }

  @Test
  void nothingGivenIsAnExceptionAndNoCrash() {
    try (Store store = open()) {
      assertThrows(NullPointerException.class, () -> Native.list(store.handle(), null));
      assertThrows(NullPointerException.class, () -> Native.save(store.handle(), new byte[0], null));
      assertThrows(NullPointerException.class, () -> store.events(null));
    }
  }

  @Test
  void aWatchedListSaysWhatHasBecomeOtherwise() {
    try (Store store = open(); Watch watch = store.watch(MEETINGS)) {
      assertEquals(Difference.Known.NOT_YET, watch.next().getKnown());
      ByteString id = meet(store, "七月党员大会");
      Difference difference = watch.next();
      assertEquals(1, difference.getInsertedCount());
      assertEquals(id, difference.getInserted(0).getRow().getId());
      assertEquals(Difference.getDefaultInstance(), watch.next());
    }
  }

  @Test
  void aListenerIsToldOnAThreadOfJavasAndNeverOnceItIsClosed() throws Exception {
    try (Store store = open()) {
      AtomicInteger told = new AtomicInteger();
      AtomicInteger over = new AtomicInteger();
      AtomicReference<String> where = new AtomicReference<>();
      Semaphore rung = new Semaphore(0);
      Events events = store.events(new Events.Listener() {
        @Override
        public void happened() {
          told.incrementAndGet();
          where.set(Thread.currentThread().getName());
          rung.release();
        }

        @Override
        public void over() {
          over.incrementAndGet();
        }
      });
      ByteString id = meet(store, "七月党员大会");
      assertTrue(rung.tryAcquire(10, TimeUnit.SECONDS));
      assertEquals("zhibu-events", where.get());
      assertEquals(id, events.next().getChanged(0).getId());
      events.close();
      assertEquals(1, over.get());
      int before = told.get();
      meet(store, "八月党员大会");
      assertEquals(before, told.get());
      assertEquals(1, over.get());
    }
  }

  @Test
  void ofAClosedListenerNothingIsKeptNeitherItNorItsThread() throws Exception {
    try (Store store = open()) {
      List<WeakReference<Events.Listener>> listeners = new ArrayList<>();
      for (int i = 0; i < 10; ++i) {
        CountDownLatch rung = new CountDownLatch(1);
        Events.Listener listener = rung::countDown;
        listeners.add(new WeakReference<>(listener));
        try (Events events = store.events(listener)) {
          meet(store, "七月党员大会");
          rung.await();
        }
      }
      await(() -> listeners.stream().allMatch(listener -> listener.get() == null));
      await(() -> Thread.getAllStackTraces().keySet().stream().noneMatch(thread -> thread.getName().equals("zhibu-events")));
    }
  }

  private static void await(BooleanSupplier so) throws InterruptedException {
    for (int i = 0; !so.getAsBoolean(); ++i) {
      assertTrue(i < 100);
      System.gc();
      Thread.sleep(20);
    }
  }

  @Test
  void aListenerMayCloseWhatCallsItAndTheStoreEndsIt() throws Exception {
    try (Store store = open()) {
      AtomicReference<Events> events = new AtomicReference<>();
      CountDownLatch over = new CountDownLatch(2);
      CountDownLatch known = new CountDownLatch(1);
      events.set(store.events(new Events.Listener() {
        @Override
        public void happened() {
          try {
            known.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          events.get().close();
        }

        @Override
        public void over() {
          over.countDown();
        }
      }));
      known.countDown();
      store.events(new Events.Listener() {
        @Override
        public void happened() {}

        @Override
        public void over() {
          over.countDown();
        }
      });
      meet(store, "七月党员大会");
      store.close();
      assertTrue(over.await(10, TimeUnit.SECONDS));
    }
  }

  @Test
  void whatAListenerThrowsIsToldAsThatOfAnyThreadAndTheNextCallComes() throws Exception {
    Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    Semaphore thrown = new Semaphore(0);
    Thread.setDefaultUncaughtExceptionHandler((thread, e) -> thrown.release());
    try (Store store = open()) {
      store.events(() -> {
        throw new IllegalStateException("a fault of the app's");
      });
      for (int i = 0; i < 2; ++i) {
        meet(store, "七月党员大会");
        assertTrue(thrown.tryAcquire(10, TimeUnit.SECONDS));
      }
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(before);
    }
  }

  @Test
  void asleepItSaysSoAndAwakeItHasEverything() {
    try (Store store = open()) {
      ByteString id = meet(store, "七月党员大会");
      store.suspend();
      ZhibuException refusal = assertThrows(ZhibuException.class, () -> get(store, id));
      assertEquals(Reason.SUSPENDED, refusal.reason());
      store.resume();
      assertEquals(id, get(store, id).getId());
    }
  }

  @Test
  void tenThousandCallsLeaveNothingOpen() {
    try (Store store = open()) {
      ByteString id = meet(store, "七月党员大会");
      for (int i = 0; i < 10_000; ++i) {
        get(store, id);
        if (i % 10 == 0) {
          assertThrows(ZhibuException.class, store::identity);
          assertThrows(ZhibuException.class, () -> store.enrolment(EnrolOptions.getDefaultInstance()));
          store.watch(MEETINGS).close();
        }
        if (i % 100 == 0) store.events(() -> {}).close();
      }
      assertEquals(1, Zhibu.live());
    }
  }

  @Test
  void bytesThatWentInAndOutAreFreed() throws Exception {
    ByteString large = ByteString.copyFrom(new byte[1 << 20]);
    Query query = Query.newBuilder().setType("Meeting").setAfter(large).build();
    try (Store store = open()) {
      for (int i = 0; i < 20; ++i) store.list(query);
      long before = residentBytes();
      // As much in, and of descriptors out, as the heap has, which is there already.
      for (int i = 0; i < 256; ++i) store.list(query);
      for (long out = 0; out < 256 << 20; out += Zhibu.schema().size()) {}
      assertTrue(residentBytes() - before < 128 << 20, "grew by " + (residentBytes() - before));
    }
  }

  private static long residentBytes() throws IOException {
    String status = Files.readString(Path.of("/proc/self/status"));
    Matcher resident = Pattern.compile("VmRSS:\\s+(\\d+) kB").matcher(status);
    assertTrue(resident.find());
    return Long.parseLong(resident.group(1)) << 10;
  }

  @Test
  void manyThreadsWriteAndReadWhileOneCloses() throws Exception {
    Store store = open();
    ExecutorService threads = Executors.newFixedThreadPool(8);
    CountDownLatch begun = new CountDownLatch(8);
    List<Future<Integer>> saved = new ArrayList<>();
    for (int i = 0; i < 8; ++i) {
      saved.add(threads.submit(() -> {
        int count = 0;
        try {
          for (;; ++count) {
            meet(store, "七月党员大会");
            if (count == 2) begun.countDown();
            store.list(MEETINGS);
          }
        } catch (ZhibuException e) {
          // A call that was in the middle finds the file closed.
          assertTrue(e.isClosed() || e.reason() == Reason.SUSPENDED, e.getMessage());
          return count;
        }
      }));
    }
    begun.await();
    store.close();
    threads.shutdown();
    int total = 0;
    for (Future<Integer> count : saved) total += count.get();
    try (Store again = open()) {
      long unsent = again.state().getUnsent();
      // One of each thread may have been saved before its list was refused.
      assertTrue(unsent >= total && unsent <= total + 8, unsent + " of " + total);
    }
  }

  @Test
  void textGoesThroughJsonAndBack() throws Exception {
    Query query = Query.newBuilder().setType("会议").setLimit(3).build();
    String json = Zhibu.toJson("zhibu.api.v1.Query", query.toByteString());
    assertEquals(query, Query.parseFrom(Zhibu.fromJson("zhibu.api.v1.Query", json)));
    assertFalse(Zhibu.schema().isEmpty());
    assertThrows(ZhibuException.class, () -> Zhibu.fromJson("zhibu.api.v1.Query", "{"));
    assertThrows(ZhibuException.class, () -> Zhibu.codes("none"));
  }
}
