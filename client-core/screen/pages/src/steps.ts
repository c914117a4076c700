// Stays and transfers in which a step is this device's owner's to take.
import type {Row} from './messages/zhibu/api/v1/api_pb';
import {Office} from './messages/zhibu/schema/v1/options_pb';
import * as core from './core/ask';
import {idText} from './core/ids';
import {offices, personId} from './device';
import {tongue} from './words';

export interface Stay {
  memberId?: string; memberName?: string; homeBranchId?: string; homeName?: string; hostBranchId?: string; hostName?: string;
  left?: string; expectedBack?: string; askedBack?: string; state?: string; hostContact?: string; destination?: string;
  answer?: string; remark?: string; ended?: string;
}
export interface Transfer {
  memberId?: string; memberName?: string; fromBranchId?: string; fromName?: string; toBranchId?: string; toName?: string;
  state?: string; letterNumber?: string; validUntil?: string; reason?: string; answer?: string;
}
export interface Pending { row: Row; stay?: Stay; transfer?: Transfer; steps: string[] }

const over = ['ENDED', 'DECLINED', 'CLOSED', 'CANCELLED', 'REFUSED'];

function actsFor(branch: string | undefined): boolean {
  return offices.value?.held.some((one) => idText(one.organisationId) === branch &&
    (one.office === Office.SECRETARY || one.office === Office.DEPUTY)) ?? false;
}

// What this device's owner may do about it, as far as this device knows; the server says.
export function stepsOfStay(stay: Stay): string[] {
  const home = actsFor(stay.homeBranchId);
  const host = actsFor(stay.hostBranchId);
  const mine = stay.memberId === personId();
  switch (stay.state) {
    case 'REPORTED': return host ? ['ACCEPT', 'DECLINE'] : [];
    case 'ACCEPTED':
    case 'EXTENDED':
    case 'NOT_EXTENDED': return [...(mine || home || host ? ['ASK_FOR_EXTENSION'] : []), ...(home || mine ? ['END'] : [])];
    case 'EXTENSION_ASKED': return home ? ['EXTEND', 'REFUSE_EXTENSION'] : [];
    default: return [];
  }
}

export function stepsOfTransfer(transfer: Transfer): string[] {
  const from = actsFor(transfer.fromBranchId);
  const to = actsFor(transfer.toBranchId);
  switch (transfer.state) {
    case 'REQUESTED': return from ? ['ISSUE', 'CANCEL'] : transfer.memberId === personId() ? ['CANCEL'] : [];
    case 'ISSUED': return to ? ['RECEIVE', 'REFUSE'] : from ? ['CANCEL'] : [];
    case 'RECEIVED': return from ? ['CLOSE'] : [];
    default: return [];
  }
}

export async function staysAndTransfers(): Promise<Pending[]> {
  const [stays, transfers] = await Promise.all(['Flow', 'Transfer'].map((type) =>
    core.list({type, json: true, words: tongue.value, limit: 200})));
  const all: Pending[] = [];
  for (const row of stays.rows) {
    const stay = JSON.parse(row.json) as Stay;
    all.push({row, stay, steps: stepsOfStay(stay)});
  }
  for (const row of transfers.rows) {
    const transfer = JSON.parse(row.json) as Transfer;
    all.push({row, transfer, steps: stepsOfTransfer(transfer)});
  }
  return all.filter((one) => !over.includes((one.stay ?? one.transfer)?.state ?? ''));
}

// Those that wait for this device's owner: somebody has asked them something.
export async function stepsForMe(): Promise<Pending[]> {
  const waits = ['REPORTED', 'EXTENSION_ASKED', 'REQUESTED', 'ISSUED', 'RECEIVED'];
  return (await staysAndTransfers()).filter((one) =>
    one.steps.some((step) => step !== 'CANCEL') && waits.includes((one.stay ?? one.transfer)?.state ?? ''));
}
