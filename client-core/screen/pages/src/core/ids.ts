// Ids: 16 bytes in messages, base64 in the JSON of a record, its web-safe form in an address.
import {base64Decode, base64Encode} from '@bufbuild/protobuf/wire';

export const idText = (id: Uint8Array): string => base64Encode(id);
export const idBytes = (id: string): Uint8Array =>
  base64Decode(id.replace(/-/g, '+').replace(/_/g, '/'));
export const idInAddress = (id: Uint8Array | string): string =>
  (typeof id === 'string' ? id : idText(id)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
export const sameId = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
