// An app of twenty lines: it opens its store, records a meeting without a network, lists what it has, and
// is told of what is recorded next.   node sample.mjs FILE
import {Store, ZhibuError} from 'zhibu';

const key = Buffer.from('0123456789abcdef0123456789abcdef');  // the platform keeps it
const store = await Store.open(process.argv[2], key);

async function record(meeting) {
  const seen = await store.new('Meeting');
  return store.commit({items: [{seen, to: {case: 'json', value: JSON.stringify(meeting)}}]});
}
await record({branchId: 'AAAAAAAAAAAAAAAAAAAAAQ==', topic: '七月党员大会'});  // durable now
const {rows} = await store.list({type: 'Meeting', json: true});
for (const row of rows) console.log(JSON.parse(row.json).topic);

await record({topic: '没有支部'}).catch((error) => {
  if (error instanceof ZhibuError) console.log(error.wordsZh);
});

for await (const difference of store.watch({type: 'Meeting', json: true})) {
  for (const {at, row} of difference.inserted) console.log(at, JSON.parse(row.json).topic);
  if (difference.selected === 2) break;
  await record({branchId: 'AAAAAAAAAAAAAAAAAAAAAQ==', topic: '八月党员大会'});
}
await store.close();
