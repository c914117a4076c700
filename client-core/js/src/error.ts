import {fromBinary} from '@bufbuild/protobuf';
import {ErrorSchema, type Error as Why} from './made/zhibu/api/v1/api_pb.js';
import type {Reason} from './made/zhibu/sync/v1/answer_pb.js';

// The core has said no. `reason` is for the program, the words are for people: what happened, what is
// safe, what to do.
export class ZhibuError extends Error {
  override readonly name = 'ZhibuError';

  constructor(readonly why: Why) {
    super(`${why.wordsZh} ${why.wordsEn}${why.detail && ` (${why.detail})`}`);
  }

  get code(): number { return this.why.code; }  // of gRPC
  get reason(): Reason { return this.why.reason; }
  get wordsZh(): string { return this.why.wordsZh; }
  get wordsEn(): string { return this.why.wordsEn; }
}

// What the addon rejects with are the bytes of an Error; what is thrown on the way is thrown on.
export async function told<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw error instanceof Uint8Array ? new ZhibuError(fromBinary(ErrorSchema, error)) : error;
  }
}
