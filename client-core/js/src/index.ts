// The core of Zhibu in Node: records read and written without a network, and in step with the server.
export type {Core} from './core.js';
export {ZhibuError} from './error.js';
export {enrol} from './enrol.js';
export {abiVersion, certificateIs, fromJson, live, toJson} from './native.js';
export {Calls} from './made/calls.js';
export {Session} from './session.js';
export {Store} from './store.js';
export {openStream, type End, type OpenStream, type Stream} from './stream.js';
export * as api from './made/zhibu/api/v1/api_pb.js';
export {Reason} from './made/zhibu/sync/v1/answer_pb.js';
export * as records from './made/records.js';
