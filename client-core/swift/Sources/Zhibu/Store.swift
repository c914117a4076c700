import CZhibu
import Foundation

/// The records of a device: one file, sealed with a key of 32 bytes that the Keychain keeps.
///
///     let store = try await Store.open(file: path, key: key)
///     let committed = try await store.commit(edit: edit)
///     for try await difference in store.watch(query) { … }
///     try await store.close()
///
/// What goes in and out are messages of zhibu.api.v1, as bytes. It may be used from any task: it is a
/// number, and the core takes calls on any thread. One that is let go of without being closed is closed
/// then.
public final class Store: Sendable {
  let handle: zhibu_handle

  private init(handle: zhibu_handle) { self.handle = handle }

  // Once more does no harm: a handle that is closed is an error and nothing else.
  deinit {
    let handle = handle
    Task { try? await offMain { try Raw.close(handle) } }
  }

  public static func open(file: String, key: Data) async throws -> Store {
    let options = try JSONEncoder().encode(["file": file])
    return try await offMain {
      Store(handle: try Raw.open(try Json.write("zhibu.api.v1.OpenOptions", options), key))
    }
  }

  /// What is watched and followed ends, and nothing is told any more.
  public func close() async throws { try await offMain { try Raw.close(self.handle) } }

  /// When the app goes to the background, within its background task: nothing of the file is locked then.
  public func suspend() async throws { try await offMain { try Raw.suspend(self.handle) } }
  public func resume() async throws { try await offMain { try Raw.resume(self.handle) } }
  public func rekey(key: Data) async throws { try await offMain { try Raw.rekey(self.handle, key) } }

  /// One record by itself: `seen` as it was read, `body` what it is to say.
  public func save(seen: Data, body: Data) async throws -> Data {
    try await offMain { try Raw.save(self.handle, seen, body) }
  }

  /// What has happened, from now on: zhibu.api.v1.Events.
  public func events() -> Followed {
    Followed(store: self) { store, bell in
      let events = try Bell.open(store.handle, bell)
      return Source(next: { try Raw.eventsNext(events) }, close: { try? Raw.eventsClose(events) })
    }
  }

  /// First the whole list, as inserted; then what has become otherwise: zhibu.api.v1.Difference.
  public func watch(_ query: Data) -> Followed {
    Followed(store: self) { store, bell in
      let watch = try Raw.watchOpen(store.handle, query)
      do {
        let events = try Bell.open(store.handle, bell)
        return Source(next: { try Raw.watchNext(watch) }, close: {
          try? Raw.eventsClose(events)
          try? Raw.watchClose(watch)
        })
      } catch {
        try? Raw.watchClose(watch)
        throw error
      }
    }
  }
}
