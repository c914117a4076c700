// The core's functions with messages for bytes.
import {create, fromBinary, toBinary, type DescMessage, type MessageInitShape, type MessageShape} from '@bufbuild/protobuf';
import * as api from '../messages/zhibu/api/v1/api_pb';
import {BridgeCore} from './bridge';
import {HttpCore} from './http';
import type {Core} from './core';
import {idBytes} from './ids';

let core: Core;

export async function openCore(): Promise<Core> {
  core = window.zhibu ? new BridgeCore(window.zhibu) : await HttpCore.open();
  return core;
}

const nothing = new Uint8Array();
const text = new TextEncoder();

type Init<D extends DescMessage> = MessageInitShape<D>;

async function ask<I extends DescMessage, O extends DescMessage>(
    name: string, input: I, body: Init<I>, output: O): Promise<MessageShape<O>> {
  return fromBinary(output, await core.call(name, toBinary(input, create(input, body))));
}
async function tell<I extends DescMessage>(name: string, input: I, body: Init<I>): Promise<void> {
  await core.call(name, toBinary(input, create(input, body)));
}
async function read<O extends DescMessage>(name: string, output: O): Promise<MessageShape<O>> {
  return fromBinary(output, await core.call(name, nothing));
}
async function askText<O extends DescMessage>(name: string, body: string, output: O): Promise<MessageShape<O>> {
  return fromBinary(output, await core.call(name, text.encode(body)));
}
async function askBytes<O extends DescMessage>(name: string, body: Uint8Array, output: O): Promise<MessageShape<O>> {
  return fromBinary(output, await core.call(name, body));
}

export const state = () => read('zhibu_state', api.StateSchema);
export const identity = () => read('zhibu_identity', api.IdentitySchema);
export const offices = () => read('zhibu_offices', api.OfficesSchema);
export const preferences = () => read('zhibu_preferences', api.PreferencesSchema);
export const keepPreferences = (body: Init<typeof api.PreferencesSchema>) =>
  tell('zhibu_preferences_keep', api.PreferencesSchema, body);
export const schema = () => core.call('zhibu_schema', nothing);
export const codes = (table: string) => askText('zhibu_codes', table, api.CodeTableSchema);

export const get = (body: Init<typeof api.RecordRefSchema>) =>
  ask('zhibu_get', api.RecordRefSchema, body, api.RowSchema);
export const list = (body: Init<typeof api.QuerySchema>) =>
  ask('zhibu_list', api.QuerySchema, body, api.RowsSchema);
export const fresh = (type: string) => core.call('zhibu_new', text.encode(type));
export const commit = (body: Init<typeof api.EditRequestSchema>) =>
  ask('zhibu_commit', api.EditRequestSchema, body, api.CommittedSchema);
export const tryOut = (body: Init<typeof api.EditRequestSchema>) =>
  ask('zhibu_try', api.EditRequestSchema, body, api.TriedSchema);
export const names = (body: Init<typeof api.NamesRequestSchema>) =>
  ask('zhibu_names', api.NamesRequestSchema, body, api.NamesSchema);
export const search = (body: Init<typeof api.SearchRequestSchema>) =>
  ask('zhibu_search', api.SearchRequestSchema, body, api.FoundRecordsSchema);
export const editWords = (body: Init<typeof api.EditWordsSchema>) =>
  ask('zhibu_edit_words', api.EditWordsSchema, body, api.RowsSchema);
export const due = (body: Init<typeof api.DueRequestSchema>) =>
  ask('zhibu_due', api.DueRequestSchema, body, api.DueListSchema);

export const keepSketch = (body: Init<typeof api.SketchSchema>) =>
  ask('zhibu_sketch_keep', api.SketchSchema, body, api.PlaceSchema);
export const sketches = () => read('zhibu_sketches', api.SketchesSchema);
export const dropSketch = (place: bigint) => tell('zhibu_sketch_drop', api.PlaceSchema, {place});

export const unsent = () => read('zhibu_unsent', api.UnsentEditsSchema);
export const setAside = () => read('zhibu_set_aside', api.SetAsideEditsSchema);
export const amend = (place: bigint) =>
  ask('zhibu_amend', api.PlaceSchema, {place, json: true}, api.RowsSchema);
export const discard = (place: bigint) => tell('zhibu_discard', api.PlaceSchema, {place});
export const held = () => read('zhibu_held', api.HeldEditsSchema);
export const takeHeld = (seen: Uint8Array) => askBytes('zhibu_held_take', seen, api.CommittedSchema);
export const returnHeld = (seen: Uint8Array, reply: string) =>
  ask('zhibu_held_return', api.ReturnRequestSchema, {seen, reply}, api.CommittedSchema);

export const showCheckIn = (meeting: string) =>
  askBytes('zhibu_check_in_show', idBytes(meeting), api.ShownCheckInSchema);
export const scanCheckIn = (code: string) =>
  askText('zhibu_check_in_scan', code, api.CommittedSchema);
export const checkInByHand = (activityId: Uint8Array, memberId?: Uint8Array) =>
  ask('zhibu_check_in_by_hand', api.CheckInByHandSchema, {activityId, memberId}, api.CommittedSchema);
export const showPass = (member: Uint8Array) =>
  askBytes('zhibu_pass_show', member, api.ShownPassSchema);
export const verifyPass = (code: string) =>
  askText('zhibu_pass_verify', code, api.CheckedPassSchema);

export const stayStep = (body: Init<typeof api.StayStepSchema>) =>
  ask('zhibu_stay_step', api.StayStepSchema, body, api.CommittedSchema);
export const transferStep = (body: Init<typeof api.TransferStepSchema>) =>
  ask('zhibu_transfer_step', api.TransferStepSchema, body, api.CommittedSchema);
export const pairStep = (body: Init<typeof api.PairStepSchema>) =>
  ask('zhibu_pair_step', api.PairStepSchema, body, api.CommittedSchema);

export const exportParcel = () => read('zhibu_parcel_export', api.ParcelSchema);
export const receiveParcel = (file: Uint8Array) =>
  askBytes('zhibu_parcel_receive', file, api.ReceiptsSchema);

export const syncLog = () => read('host_log', api.SyncLogSchema);
export const hurry = () => core.call('host_hurry', nothing);
