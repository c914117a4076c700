// How the functions of zhibu.h are called: bytes are lent for the call, what comes out is taken and freed
// here, and a code that is not 0 is thrown as a ZhibuError.
import CZhibu
import Foundation

typealias Out = UnsafeMutablePointer<zhibu_out>
typealias Opened = UnsafeMutablePointer<zhibu_handle>

extension Data {
  func lent<T>(_ body: (zhibu_in) throws -> T) rethrows -> T {
    try withUnsafeBytes { bytes in
      try body(zhibu_in(data: bytes.bindMemory(to: UInt8.self).baseAddress, size: bytes.count))
    }
  }
}

private func taken(_ out: inout zhibu_out) -> Data {
  defer { zhibu_free(&out) }
  guard let data = out.data else { return Data() }
  return Data(bytes: data, count: out.size)
}

func doing(_ call: (Out) -> Int32) throws {
  var error = zhibu_out()
  guard call(&error) == 0 else { throw ZhibuError(taken(&error)) }
}

func giving(_ call: (Out, Out) -> Int32) throws -> Data {
  var out = zhibu_out()
  try doing { error in call(&out, error) }
  return taken(&out)
}

func opening(_ call: (Opened, Out) -> Int32) throws -> zhibu_handle {
  var handle: zhibu_handle = 0
  try doing { error in call(&handle, error) }
  return handle
}

func openingAndGiving(_ call: (Opened, Out, Out) -> Int32) throws -> (zhibu_handle, Data) {
  var handle: zhibu_handle = 0
  let bytes = try giving { out, error in call(&handle, out, error) }
  return (handle, bytes)
}

private let threads = DispatchQueue(label: "zhibu", attributes: .concurrent)

// Calls wait for the store's file: neither on the main thread nor on one of Swift's own pool, which must
// not be waited on.
func offMain<T: Sendable>(_ call: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { answered in
    threads.async { answered.resume(with: Result(catching: call)) }
  }
}
