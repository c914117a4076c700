// What the record types declare, read from the core when a form or a list first needs it: labels,
// kinds of fields, steps of a state. The core is the only one that knows more of a record.
import {createFileRegistry, fromBinary, getOption, hasOption, ScalarType, type DescEnum, type DescField, type DescMessage, type FileRegistry} from '@bufbuild/protobuf';
import {FileDescriptorSetSchema} from '@bufbuild/protobuf/wkt';
import * as options from './messages/zhibu/schema/v1/options_pb';
import * as core from './core/ask';
import {english} from './words';

export type Kind = 'text' | 'long' | 'date' | 'month' | 'dayOrMonth' | 'time' | 'number' | 'money' |
  'percent' | 'bool' | 'enum' | 'code' | 'reference' | 'bytes' | 'element';

export interface Choice {
  name: string;
  label: string;
  next: string[];
}

export interface Field {
  name: string;      // in JSON
  protoName: string;
  path: string;      // as the core names it: "speeches.speaker_id"
  kind: Kind;
  repeated: boolean;
  required: boolean;
  fixed: boolean;    // written once, with the record
  byServer: boolean;
  steps: boolean;    // only declared steps may follow
  label: string;
  bytesMax: number;
  codeTable: string;
  choices: Choice[];
  elements: Field[]; // of an element
  key: string;       // the JSON name of what names an element
  owner: boolean;    // places the record with the organisation that keeps it
  person: boolean;   // … with a person
}

export interface Declaration {
  name: string;
  number: number;
  label: string;
  fields: Field[];
  idFrom: string[];
  writers: options.Office[];
  madeByServer: boolean;
  permanent: boolean;
}

const idBytesMax = 16;
const lineBytesMax = 600;

let loading: Promise<FileRegistry> | undefined;

async function load(): Promise<FileRegistry> {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, await core.schema()));
}

const registry = (): Promise<FileRegistry> => (loading ??= load());

// "DevelopmentCase" is "Development case", "lead_branch_id" is "lead branch".
const spaced = (name: string): string => name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const fieldWords = (field: DescField): string =>
  english.value ? field.name.replace(/_ids?$/, '').replace(/_/g, ' ') : getOption(field, options.label) || field.name;

function choicesOf(type: DescEnum): Choice[] {
  return type.values.map((value) => ({
    name: value.name,
    label: english.value ? value.name.replace(/_/g, ' ').toLowerCase()
      : getOption(value, options.value_label) || value.name,
    next: getOption(value, options.next),
  }));
}

function textKind(field: DescField): Kind {
  switch (getOption(field, options.format)) {
    case options.Format.DATE: return 'date';
    case options.Format.MONTH: return 'month';
    case options.Format.DAY_OR_MONTH: return 'dayOrMonth';
    default: break;
  }
  if (getOption(field, options.code_table) !== '') return 'code';
  const most = getOption(field, options.bytes_max);
  return most > 0 && most <= lineBytesMax ? 'text' : 'long';
}

function scalarKind(field: DescField, scalar: ScalarType): Kind {
  switch (scalar) {
    case ScalarType.STRING: return textKind(field);
    case ScalarType.BOOL: return 'bool';
    case ScalarType.BYTES: {
      const most = getOption(field, options.bytes_max);
      return most === 0 || most === idBytesMax ? 'reference' : 'bytes';
    }
    case ScalarType.INT64: return field.name.endsWith('_fen') ? 'money' : 'number';
    default: return field.name.endsWith('_basis_points') ? 'percent' : 'number';
  }
}

function messageKind(message: DescMessage): Kind {
  return message.typeName === 'google.protobuf.Timestamp' ? 'time' : 'element';
}

function kindOf(field: DescField): Kind {
  if (field.enum) return 'enum';
  if (field.message) return messageKind(field.message);
  return field.scalar === undefined ? 'bytes' : scalarKind(field, field.scalar);
}

function fieldOf(field: DescField, above: string, depth: number): Field {
  const kind = field.fieldKind === 'map' ? 'bytes' : kindOf(field);
  const policy = getOption(field, options.merge);
  const keyName = getOption(field, options.key);
  const place = getOption(field, options.place);
  return {
    name: field.jsonName, protoName: field.name, path: above + field.name, kind,
    repeated: field.fieldKind === 'list',
    required: getOption(field, options.required),
    fixed: policy === options.Policy.FIRST,
    byServer: policy === options.Policy.SERVER,
    steps: policy === options.Policy.FORWARD,
    // Money is entered in yuan.
    label: kind === 'money' ? fieldWords(field).replace(/\(分\)| fen$/, '') : fieldWords(field),
    bytesMax: getOption(field, options.bytes_max),
    codeTable: getOption(field, options.code_table),
    choices: field.enum ? choicesOf(field.enum) : [],
    elements: kind === 'element' && field.message && depth < 3
      ? field.message.fields.map((inner) => fieldOf(inner, `${above}${field.name}.`, depth + 1)) : [],
    key: field.message?.fields.find((inner) => inner.name === keyName)?.jsonName ?? '',
    owner: place === options.Place.OWNER,
    person: place === options.Place.PERSON,
  };
}

function declarationOf(message: DescMessage): Declaration {
  const record = getOption(message, options.record);
  return {
    name: message.name,
    number: record.type,
    label: english.value ? capital(spaced(message.name)) : record.label,
    fields: message.fields.map((field) => fieldOf(field, '', 0)),
    idFrom: record.idFrom,
    writers: record.writers,
    madeByServer: record.madeByServer,
    permanent: record.permanent,
  };
}

export async function declaration(type: string): Promise<Declaration> {
  const message = (await registry()).getMessage(`zhibu.records.v1.${type}`);
  if (message === undefined) throw new Error(type);
  return declarationOf(message);
}

// Every type that people may meet with, by their numbers: what belongs together stands together.
export async function catalogue(): Promise<{name: string; label: string; number: number; made: boolean}[]> {
  const types = [];
  for (const desc of await registry()) {
    if (desc.kind !== 'message' || desc.parent || !hasOption(desc, options.record)) continue;
    const record = getOption(desc, options.record);
    types.push({
      name: desc.name, number: record.type, made: !record.madeByServer && record.writers.length > 0,
      label: english.value ? capital(spaced(desc.name)) : record.label,
    });
  }
  return types.sort((a, b) => a.number - b.number);
}
