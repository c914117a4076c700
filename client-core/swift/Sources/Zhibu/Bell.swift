import CZhibu

/// Something may have come: many rings before somebody listens are one. A thread of the core's rings it.
final class Bell: Sendable {
  let rings: AsyncStream<Void>
  private let ringing: AsyncStream<Void>.Continuation

  init() {
    var made: AsyncStream<Void>.Continuation!
    rings = AsyncStream(bufferingPolicy: .bufferingNewest(1)) { made = $0 }
    ringing = made
  }

  func ring() { ringing.yield() }
  // Whoever listens hears no more.
  func end() { ringing.finish() }

  // The core holds the bell until it has let go of the events, which it says once: because they were
  // closed, or their store was.
  static func open(_ store: zhibu_handle, _ bell: Bell) throws -> zhibu_handle {
    let held = Unmanaged.passRetained(bell)
    do {
      return try opening { events, error in
        zhibu_events_open(
          store, { Unmanaged<Bell>.fromOpaque($0!).takeUnretainedValue().ring() }, held.toOpaque(),
          { user in
            let bell = Unmanaged<Bell>.fromOpaque(user!).takeRetainedValue()
            bell.end()
          }, events, error)
      }
    } catch {
      held.release()
      throw error
    }
  }
}
