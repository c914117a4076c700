package zhibu.client;

import zhibu.api.v1.Difference;

/** A list that is watched. */
public final class Watch extends Handle {
  Watch(long handle) {
    super(handle);
  }

  /** First the whole list, as inserted; then what has become otherwise, empty where nothing has. */
  public Difference next() {
    return message(Difference.parser(), Native.watchNext(handle()));
  }

  @Override
  void closeHandle() {
    Native.watchClose(handle());
  }
}
