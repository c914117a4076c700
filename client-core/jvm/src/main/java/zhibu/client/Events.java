package zhibu.client;

/**
 * What happens in a store. A listener is told that there is something, and asks {@link #next} for it
 * where it likes.
 */
public final class Events extends Handle {
  /** Called on a thread of the core's, one call at a time; none begins once the events are closed. */
  public interface Listener {
    void happened();

    /** The last call: the events are closed, or the store is. */
    default void over() {}
  }

  Events(long handle) {
    super(handle);
  }

  /** Empty where nothing has happened since. */
  public zhibu.api.v1.Events next() {
    return message(zhibu.api.v1.Events.parser(), Native.eventsNext(handle()));
  }

  @Override
  void closeHandle() {
    Native.eventsClose(handle());
  }

  /** Called by the core's thread, as `over` is. What a listener throws goes where its thread's goes. */
  static void notify(Listener listener) {
    guarded(listener::happened);
  }

  static void over(Listener listener) {
    guarded(listener::over);
  }

  private static void guarded(Runnable call) {
    try {
      call.run();
    } catch (Throwable thrown) {
      Thread here = Thread.currentThread();
      here.getUncaughtExceptionHandler().uncaughtException(here, thrown);
    }
  }
}
