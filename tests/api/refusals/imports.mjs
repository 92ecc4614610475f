// The operator's own numbers: imports, what rows they leave out, the inventory; and what is true of a number that is one's own.
import assert from 'node:assert/strict'
import { randomUUID } from '../harness.mjs'
import { current, local, old } from './world.mjs'
import { numbers } from './numbers.mjs'

const header = 'number,carrier,type,country,calling,sms,cost,tags'
const line = (number, more = {}) => { const r = { carrier: 'sim', type: '', country: '', calling: 'both', sms: 'none', cost: '', tags: '', ...more }
  return [number, r.carrier, r.type, r.country, r.calling, r.sms, r.cost, r.tags].join(',') }
const begin = (id, more) => old.operator('POST', 'numbers/imports', { id, file: 'list.csv', ...more })
const rows = (id, lines, from = 1, columns = '') => old.operator('POST', `numbers/imports/${id}/rows?line=${from}${columns && `&columns=${encodeURIComponent(columns)}`}`, Buffer.from(lines.join('\n') + '\n'))
const end = (id, verb) => old.operator('POST', `numbers/imports/${id}/:${verb}`)
const granted = async (request) => { const a = await request; assert.equal(a.status, 200, await a.text()); return a.json() }
const inventory = (query) => old.operator('GET', `numbers/inventory${query}`)

/* One that is complete and partly leased, one that is open, one that was taken away. */
const [oneWay, twoWay] = ['+12062000001', '+12062000002']
await granted(begin('r-kept'))
await granted(rows('r-kept', [header, line(oneWay, { calling: 'inbound' }), line(twoWay, { tags: 'gold' })]))
await granted(end('r-kept', 'complete'))
await granted(begin('r-open', { carrier: 'sim' }))
await granted(begin('r-gone'))
await granted(end('r-gone', 'rollBack'))

/** Lease a number of one's own choice. */
async function own(server, number, capabilities) {
  const id = randomUUID()
  const made = await server.reserve(id, { [number.slice(1)]: { countryCode: 'US', ...local, capabilities } })
  assert.equal(made.status, 201, await made.text())
  assert.equal((await server.ask('POST', `/availablePhoneNumbers/reservations/${id}/:purchase`)).status, 202)
}
await own(old, oneWay, { calling: 'inbound', sms: 'none' })

/* Where what may be had is for own use only. */
await current.own('POST', 'numbers/imports', { id: 'rome', carrier: 'sim' })
await current.own('POST', 'numbers/imports/rome/rows?line=1', Buffer.from('number,type,country,calling,sms\n+390687654321,local,IT,both,none\n'))
await current.own('POST', 'numbers/imports/rome/:complete')
const italian = await current.found({ ...local, assignmentType: 'application' }, 'IT')

/** A real carrier opens the wall: so this is done to the other server, and is the last that is asked of it. */
async function emergency() {
  const number = '+12062000009'
  await current.own('POST', 'trunks', { name: 'far', host: '192.0.2.1:5060' })
  await current.own('POST', 'numbers/imports', { id: 'real', carrier: 'far' })
  await current.own('POST', 'numbers/imports/real/rows?line=1', Buffer.from(`number,calling,sms\n${number},both,none\n`))
  await current.own('POST', 'numbers/imports/real/:complete')
  await own(current, number, { calling: 'inbound+outbound', sms: 'none' })
  return current.call(number, '911', 'https://example.com/')
}

/* What one list leaves out: line, rule, what fills its places, the row. */
export const badRows = [
  ['RowNumberInvalid', ['12'], line('12')],
  ['RowDoubled', ['+12062000020'], line('+12062000020')],
  ['InventoryHasNumber', [twoWay, 'r-kept'], line(twoWay)],
  ['NumberInUse', [numbers.home, 'leased'], line(numbers.home)],
  ['RowTypeWrong', ['+12062000021', 'toll-free'], line('+12062000021', { type: 'toll-free' })],
  ['RowCountryWrong', ['+12062000022', 'GB'], line('+12062000022', { country: 'GB' })],
  ['RowWithoutCapability', ['+12062000023'], line('+12062000023', { calling: 'none' })],
  ['CarrierUnknown', ['+12062000024', 'nobody'], line('+12062000024', { carrier: 'nobody' })],
  ['CarrierNeeded', ['+12062000025'], line('+12062000025', { carrier: '' })],
  ['RowCostInvalid', ['+12062000026', 'much'], line('+12062000026', { cost: 'much' })],
  ['RowTagsInvalid', ['+12062000027', /x+/], line('+12062000027', { tags: 'x'.repeat(200) })],
  ['RowTypeUnknown', ['+12062000028', 'fax'], line('+12062000028', { type: 'fax' })],
  ['RowCapabilityUnknown', ['+12062000029', 'often'], line('+12062000029', { calling: 'often' })],
  ['RowMalformed', ['', 'it has fewer fields than the header'], '+12062000030,sim'],
]

/** @returns what the list left out, in its order */
export async function leaveOut() {
  await granted(begin('r-bad'))
  const { bad, badRows: count } = await granted(rows('r-bad', [header, line('+12062000020'), ...badRows.map((r) => r[2])]))
  assert.equal(count, badRows.length)
  await granted(end('r-bad', 'rollBack'))
  return bad
}

/** Each row another cost: at last there is no room for one more. @returns what was left out then */
export async function exhaustSorts() {
  await granted(begin('r-sorts', { carrier: 'sim' }))
  let left = []
  for (let at = 0; at < 66000 && !left.length; at += 8000) {
    const list = Array.from({ length: 8000 }, (_, i) => `+1212${2000000 + at + i},${((at + i) / 1e6).toFixed(6)}`)
    const said = await granted(rows('r-sorts', at ? list : ['number,cost', ...list], at ? at + 2 : 1, at ? 'number,cost' : ''))
    left = said.bad ?? []
  }
  await granted(end('r-sorts', 'rollBack'))
  return left
}

/* rule, status, what fills its places, what is asked; the field at fault */
export default [
  ['ImportIdInvalid', 400, ['a b'], () => begin('a b')],
  ['ImportNotFound', 404, ['r-none'], () => old.operator('GET', 'numbers/imports/r-none')],
  ['ImportEnded', 409, ['r-kept', 'complete'], () => begin('r-kept')],
  ['ImportEnded', 409, ['r-gone', 'rolledBack'], () => end('r-gone', 'complete')],
  ['ImportWithoutRows', 409, ['r-none-good', 1], async () => {
    await granted(begin('r-none-good'))
    await granted(rows('r-none-good', [header, line('12')]))
    return end('r-none-good', 'complete')
  }],
  ['ImportEnded', 409, ['r-none-good', 'failed'], () => end('r-none-good', 'complete')],
  ['ImportDryRun', 409, ['r-dry'], async () => { await granted(begin('r-dry', { dryRun: true })); return end('r-dry', 'complete') }],
  ['FieldNeeded', 400, ['mark', 'at most 63 octets, or nothing'], () => old.operator('POST', 'numbers/imports/r-open/rows?line=1&mark=' + 'x'.repeat(64), Buffer.from('number')), 'mark'],
  ['ImportNotAtLine', 409, ['r-open', 1, 7], () => rows('r-open', ['+12062000040'], 7, 'number')],
  ['ImportInUse', 409, ['r-kept', 1, oneWay], () => end('r-kept', 'rollBack')],
  ['CarrierUnknown', 400, ['The import', 'nobody'], () => begin('r-new', { carrier: 'nobody' })],
  ['ColumnUnknown', 400, ['numbr', ": did you mean '", 'number', "'?"], () => rows('r-open', ['numbr', '+12062000040'])],
  ['ColumnDoubled', 400, ['number'], () => rows('r-open', ['number,number', '+12062000040,+12062000041'])],
  ['ColumnNeeded', 400, ['number'], () => rows('r-open', ['carrier', 'sim'])],
  ['SliceTooLarge', 413, [], () => rows('r-open', ['number', ...Array.from({ length: 8193 }, (_, i) => `+1212${2000000 + i}`)])],
  ['LocalityUnknown', 400, ['Atlantis'], () => inventory('?locality=Atlantis'), 'locality'],
  ['QueryUnknown', 400, ['limit', '.', '', '', 'prefix, pattern, country, locality, type, carrier, tag, state, import, all, top, after'], () => inventory('?limit=5'), 'limit'],
  ['LocalityUnknown', 400, ['Atlantis'], () => old.operator('GET', 'numbers/areas?locality=Atlantis'), 'locality'],
  ['PatternInvalid', 400, ['20x'], () => inventory('?pattern=20x'), 'pattern'],
  ['StockStateUnknown', 400, ['lost'], () => inventory('?state=lost'), 'state'],
  ['PhoneNumberTypeUnknown', 400, ['fax'], () => inventory('?type=fax'), 'type'],
  ['InventoryHasNoSuch', 404, ['+12069999999'], () => inventory('/%2B12069999999')],
  ['InvalidPhoneNumber', 400, ['nobody'], () => inventory('/nobody')],
  ['NumberInUse', 409, [oneWay, 'leased'], () => old.operator('DELETE', `numbers/inventory/${encodeURIComponent(oneWay)}`)],
  ['NoteTooLong', 400, [511, 127], () => old.operator('PATCH', `numbers/inventory/${encodeURIComponent(oneWay)}`, { note: 'x'.repeat(512) })],
  ['FieldNeeded', 400, ['tags or note', 'what is to be set'], () => old.operator('PATCH', `numbers/inventory/${encodeURIComponent(oneWay)}`, {})],
  ['CapabilityNotOfNumber', 400, [oneWay, 'inbound', 'none'], () => old.ask('PATCH', `/phoneNumbers/${oneWay}/capabilities`, { calling: 'outbound' })],
  ['AgreementNotToResellNeeded', 400, ['local (geographic) number', 'IT'], () => current.buy(italian.searchId), 'agreeToNotResell'],
  ['EmergencyTrunkMissing', 403, ['911'], emergency],
]
