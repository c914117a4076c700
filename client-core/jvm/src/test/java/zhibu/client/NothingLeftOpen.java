package zhibu.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** After every test: no handle is open any more. */
final class NothingLeftOpen implements AfterEachCallback {
  @Override
  public void afterEach(ExtensionContext context) {
    assertEquals(0, Zhibu.live());
  }
}
