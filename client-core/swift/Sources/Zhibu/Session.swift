import CZhibu
import Foundation

/// A stream of zhibu.sync.v1.Sync/Connect, whoever moves it (grpc-swift): frames are bytes, passed on as
/// they are. Its server is checked by `Session.certificate(_:is:)` and by nothing else; its name is zhibu.
public protocol FrameStream: Sendable {
  var frames: AsyncThrowingStream<Data, Error> { get }
  func send(_ frame: Data) async throws
  func close()
}

/// Why a stream ended, as its transport says it: zhibu.api.v1.StreamEnd.
public struct StreamEnd: Error, Encodable, Sendable {
  public var code: Int32 = 14  // of gRPC: unavailable
  public var text = ""
  public var details = Data()
  public var otherServer = false
  var stream = "0"

  public init(code: Int32 = 14, text: String = "", details: Data = Data(), otherServer: Bool = false) {
    (self.code, self.text, self.details, self.otherServer) = (code, text, details, otherServer)
  }
}

public struct Advice: Decodable, Sendable {
  public var what = "WHAT_UNSPECIFIED"
  public var ms: String?
  public var address: String?
  public var fingerprint: String?
  public var why: ZhibuError?
  var stream: String?
}

/// In step with the server: does what the core advises, until that is DONE or STOP, or its task is
/// cancelled. An actor: one thing at a time, whoever asks.
public actor Session {
  public typealias OpenStream = @Sendable (_ address: String, _ fingerprint: String) async throws -> FrameStream

  public private(set) var advice = Advice()
  private let handle: zhibu_handle
  private let events: zhibu_handle
  private let openStream: OpenStream
  private let bell: Bell
  private var stream: FrameStream?
  private var reader: Task<Void, Never>?

  /// `options`: zhibu.api.v1.SessionOptions. Throws StreamEnd from `openStream` where there is none.
  public init(store: Store, options: Data, openStream: @escaping OpenStream) async throws {
    let bell = Bell()
    (handle, events) = try await offMain {
      let events = try Bell.open(store.handle, bell)  // what is committed goes out at once
      do {
        return (try Raw.sessionOpen(store.handle, options), events)
      } catch {
        try? Raw.eventsClose(events)
        throw error
      }
    }
    self.bell = bell
    self.openStream = openStream
  }

  deinit {
    let (handle, events) = (handle, events)
    reader?.cancel()
    stream?.close()
    Task {
      try? await offMain {
        try? Raw.eventsClose(events)
        try Raw.sessionClose(handle)
      }
    }
  }

  /// Whether the certificate, in DER, is the one with this fingerprint.
  public static func certificate(_ der: Data, is fingerprint: String) -> Bool {
    (try? Raw.certificateIs(der, Data(fingerprint.utf8))) != nil
  }

  public func hurry() async throws {
    try await offMain { [handle] in try Raw.sessionHurry(handle) }
    bell.ring()
  }

  public func run() async throws -> Advice {
    var rings = bell.rings.makeAsyncIterator()
    while !Task.isCancelled {
      advice = try await asked()
      switch advice.what {
      case "CONNECT":
        drop()
        await connect()
      case "SEND":
        try await send()
      case "IDLE", "WAIT":
        if advice.what == "WAIT" { drop() }
        let alarm = ringLater(Int64(advice.ms ?? "0") ?? 0)
        let rung: Void? = await rings.next()
        alarm?.cancel()
        if rung == nil { return advice }  // the store was closed
      default:
        drop()
        return advice
      }
    }
    drop()
    return advice
  }

  private func asked() async throws -> Advice {
    try await offMain { [handle] in
      let bytes = try Raw.sessionAdvice(handle)
      return try JSONDecoder().decode(Advice.self, from: Json.read("zhibu.api.v1.Advice", bytes))
    }
  }

  private func connect() async {
    let name = advice.stream ?? "0"
    do {
      let opened = try await openStream(advice.address ?? "", advice.fingerprint ?? "")
      stream = opened
      try await offMain { [handle] in try Raw.sessionConnected(handle) }
      reader = Task { [handle, bell] in
        var end = StreamEnd(code: 0)
        do {
          for try await frame in opened.frames {
            try await offMain { try Raw.sessionReceive(handle, frame) }
            bell.ring()
          }
        } catch {
          end = (error as? StreamEnd) ?? StreamEnd(text: "\(error)")
        }
        await Self.ended(handle, end, name)
        bell.ring()
      }
    } catch {
      await Self.ended(handle, (error as? StreamEnd) ?? StreamEnd(text: "\(error)"), name)
    }
  }

  private func send() async throws {
    let frame = try await offMain { [handle] in try Raw.sessionNext(handle) }
    if !frame.isEmpty { try? await stream?.send(frame) }  // one that has ended says so to whoever reads it
  }

  // By the name that the core gave the stream: the end of one that was given up since ends no other.
  private static func ended(_ handle: zhibu_handle, _ end: StreamEnd, _ name: String) async {
    var named = end
    named.stream = name
    guard let json = try? JSONEncoder().encode(named) else { return }
    try? await offMain { try Raw.sessionEnded(handle, try Json.write("zhibu.api.v1.StreamEnd", json)) }
  }

  private func ringLater(_ ms: Int64) -> Task<Void, Never>? {
    guard ms > 0 else { return nil }
    return Task { [bell] in
      try? await Task.sleep(nanoseconds: UInt64(ms) * 1_000_000)
      if !Task.isCancelled { bell.ring() }
    }
  }

  private func drop() {
    reader?.cancel()
    stream?.close()
    (reader, stream) = (nil, nil)
  }
}
