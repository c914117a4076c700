// The addon (native/), beside this file with the library of the core, and what needs no store.
import {createRequire} from 'node:module';
import {told} from './error.js';
import type {Native} from './made/calls.js';

export const native = createRequire(import.meta.url)('./zhibu.node') as Native;

export const utf8 = new TextEncoder();
const text = new TextDecoder();

// How many handles are open: 0n at the end of every test.
export const live = (): bigint => native.zhibu_live();
export const abiVersion = (): number => native.zhibu_abi_version();

// protobuf's JSON form and back. `type`: Meeting, or zhibu.api.v1.Query.
export const toJson = async (type: string, body: Uint8Array): Promise<string> =>
  text.decode(await told(native.zhibu_to_json(utf8.encode(type), body)));
export const fromJson = (type: string, json: string): Promise<Uint8Array> =>
  told(native.zhibu_from_json(utf8.encode(type), utf8.encode(json)));
// Whether the certificate, in DER or PEM, is the one with this fingerprint.
export const certificateIs = (certificate: Uint8Array, fingerprint: string): Promise<void> =>
  told(native.zhibu_certificate_is(certificate, utf8.encode(fingerprint)));
