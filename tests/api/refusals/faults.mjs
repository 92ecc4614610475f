// Faults: what is none, where none may be armed, and what one answers.
import { bare, old } from './world.mjs'

const arm = (server, fault) => server.operator('POST', 'faults', { fault })
async function struck(fault) {
  await arm(old, fault)
  return old.ask('GET', '/phoneNumbers/+18335550999')
}

const rows = [
  ['RequestInvalid', 400, ['fault'], () => old.operator('POST', 'faults', {}), 'fault'],
  ['FaultInvalid', 400, ["'throtle' is no kind of smsc fault.", /Did you mean 'throttle'\? .*/], () => arm(old, 'smsc throtle'), 'fault'],
  ['FaultsOff', 403, [], () => arm(bare, 'api 503')],
  ['FaultInjected', 503, [/\d+/], () => struck('api 503 path=/phoneNumbers method=GET count=1')],
]
rows.push(['SnapshotExists', 409, ['r-one'], async () => { await old.own('POST', 'snapshots', { name: 'r-one' }); return old.operator('POST', 'snapshots', { name: 'r-one' }) }])
rows.push(['HandsetHasNoCall', 409, [/\+12065550133 has no call to .*/], () => old.operator('POST', 'handsets/%2B12065550133/:press', { digits: '1' })])
rows.push(['SnapshotName', 400, [], () => old.operator('POST', 'snapshots', { name: '../x' })])
export default rows
