import {create, fromBinary, toBinary} from '@bufbuild/protobuf';
import {told} from './error.js';
import {EnrolCallSchema, EnrolOptionsSchema, StreamEndSchema} from './made/zhibu/api/v1/api_pb.js';
import {native} from './native.js';
import type {Store} from './store.js';
import {askToEnrol} from './stream.js';

// Makes the device known to its server, by a code as the operator handed it out. It may be tried again
// where there was no network.
export async function enrol(store: Store, code: string, deviceName: string): Promise<void> {
  const options = toBinary(EnrolOptionsSchema, create(EnrolOptionsSchema, {code, deviceName}));
  const [enrolment, bytes] = await told(native.zhibu_enrol_open(store.handle, options));
  try {
    const call = fromBinary(EnrolCallSchema, bytes);
    const answer = await askToEnrol(call.address, call.fingerprint, call.request);
    await told('reply' in answer
      ? native.zhibu_enrol_reply(enrolment, answer.reply)
      : native.zhibu_enrol_refused(enrolment, toBinary(StreamEndSchema, create(StreamEndSchema, answer.end))));
  } finally {
    await told(native.zhibu_enrol_close(enrolment));
  }
}
