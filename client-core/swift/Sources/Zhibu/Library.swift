import CZhibu
import Foundation

/// The core has said no. `reason` is for the program, the words are for people: what happened, what is
/// safe, what to do.
public struct ZhibuError: Error, LocalizedError, Sendable, Decodable {
  public var code: Int32 = 0  // of gRPC
  public var reason = "NO_REASON"  // the name of a zhibu.sync.v1.Reason
  public var wordsZh = ""
  public var wordsEn = ""
  public var detail = ""

  public var errorDescription: String? {
    Locale.preferredLanguages.first?.hasPrefix("zh") == false ? wordsEn : wordsZh
  }

  // Of the bytes of a zhibu.api.v1.Error.
  init(_ bytes: Data) {
    guard let json = try? Json.read("zhibu.api.v1.Error", bytes),
      let read = try? JSONDecoder().decode(ZhibuError.self, from: json)
    else {
      code = 13
      return
    }
    self = read
  }

  private enum Name: String, CodingKey { case code, reason, wordsZh, wordsEn, detail }

  // What is not said stays as it is above.
  public init(from decoder: Decoder) throws {
    let said = try decoder.container(keyedBy: Name.self)
    code = try said.decodeIfPresent(Int32.self, forKey: .code) ?? 0
    reason = try said.decodeIfPresent(String.self, forKey: .reason) ?? "NO_REASON"
    wordsZh = try said.decodeIfPresent(String.self, forKey: .wordsZh) ?? ""
    wordsEn = try said.decodeIfPresent(String.self, forKey: .wordsEn) ?? ""
    detail = try said.decodeIfPresent(String.self, forKey: .detail) ?? ""
  }
}

/// protobuf's JSON form of a message and back. `type`: Meeting, or zhibu.api.v1.Query. An app that has
/// messages by swift-protobuf needs neither.
public enum Json {
  public static func read(_ type: String, _ body: Data) throws -> Data { try Raw.toJson(Data(type.utf8), body) }
  public static func write(_ type: String, _ json: Data) throws -> Data { try Raw.fromJson(Data(type.utf8), json) }
}

public enum Library {
  public static var abiVersion: UInt32 { zhibu_abi_version() }
  /// How many handles are open: 0 at the end of every test.
  public static var live: UInt64 { zhibu_live() }
}
