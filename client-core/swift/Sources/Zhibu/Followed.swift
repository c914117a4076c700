import Foundation

struct Source: Sendable {
  let next: @Sendable () throws -> Data  // empty: there is nothing else yet
  let close: @Sendable () -> Void
}

/// What is asked for again after each event, as bytes of a message. It ends when its store is closed; what
/// it has open is closed when its iterator goes, by `break` or because the task was cancelled.
public struct Followed: AsyncSequence, Sendable {
  public typealias Element = Data
  typealias Open = @Sendable (Store, Bell) throws -> Source

  let store: Store
  let open: Open

  public func makeAsyncIterator() -> Iterator { Iterator(store: store, open: open) }

  public final class Iterator: AsyncIteratorProtocol {
    private let store: Store
    private let open: Open
    private let bell = Bell()
    private lazy var rings = bell.rings.makeAsyncIterator()
    private var source: Source?

    init(store: Store, open: @escaping Open) {
      self.store = store
      self.open = open
    }

    deinit {
      guard let source else { return }
      Task { try? await offMain { source.close() } }
    }

    public func next() async throws -> Data? {
      if source == nil {
        source = try await offMain { [store, open, bell] in try open(store, bell) }
      }
      while let source {
        if let bytes = try await unlessAsleep(source), !bytes.isEmpty { return bytes }
        guard await rings.next() != nil else { break }
      }
      return nil
    }

    // Of a store that sleeps there is nothing to be had yet; closed, there is none any more.
    private func unlessAsleep(_ source: Source) async throws -> Data? {
      do {
        return try await offMain { try source.next() }
      } catch let error as ZhibuError where error.reason == "SUSPENDED" || error.code == 3 {
        return nil
      }
    }
  }
}
