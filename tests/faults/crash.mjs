// The crash test: see test_crash.sh. ROUNDS rounds (default 1) of N requests (default 1,000) at once.
import assert from 'node:assert/strict'
import { randomInt, randomUUID } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, keyOf, kill, newFolder, operatorKey, serve, start } from './server.mjs'

const n = Number(process.env.N ?? 1000), rounds = Number(process.env.ROUNDS ?? 1)
const folder = newFolder()
const accepted = join(folder, 'accepted.log')

async function until(what, test, within) {
  for (const end = Date.now() + within; !test(); await sleep(50)) if (Date.now() > end) return console.log(`# ${what}: not within ${within} ms`)
}
const tally = (list) => list.reduce((map, key) => map.set(key, (map.get(key) ?? 0) + 1), new Map())
const atSmsc = () => tally(existsSync(accepted) ? readFileSync(accepted, 'utf8').trim().split('\n').filter(Boolean)
  .map((line) => Buffer.from(line.split(' ')[4], 'hex').toString()) : [])

async function lease(server, key) {
  const search = await ask(server, key, 'POST', '/availablePhoneNumbers/countries/US/:search?api-version=2025-06-01',
    { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'inbound+outbound' } })
  assert.equal(search.status, 202)
  const searchId = search.headers['search-id']
  assert.equal((await ask(server, key, 'POST', '/availablePhoneNumbers/:purchase?api-version=2025-06-01', { searchId })).status, 202)
  return (await ask(server, key, 'GET', `/availablePhoneNumbers/searchResults/${searchId}?api-version=2025-06-01`)).json.phoneNumbers[0]
}

const reports = []
const hook = createServer((rq, rs) => {
  let text = ''
  rq.on('data', (piece) => { text += piece })
  rq.on('end', () => {
    for (const e of JSON.parse(text)) {
      if (e.data.validationCode) return rs.writeHead(200).end(JSON.stringify({ validationResponse: e.data.validationCode }))
      reports.push(e.data.tag)
    }
    rs.writeHead(200).end()
  })
})
await new Promise((listening) => hook.listen(0, '127.0.0.1', listening))

const smsc = await start(folder, ['sim', '--sim-smpp', '127.0.0.1:0', '--sim-sip', '127.0.0.1:0', '--accepted-log', accepted], 'smsc')
let server = await serve(folder, n)
const operator = operatorKey(folder)
const key = keyOf(server.ready.connectionString)
const own = (path, body) => ask(server, operator, 'POST', `/carterfone/v1/${path}`, body)
assert.equal((await own('smscs', { name: 'far', host: smsc.ready.simSmpp, systemId: 'crash', password: 'x', window: 100, simulated: true })).status, 201)
assert.equal((await own('smsRoutes', { name: 'far', carrier: 'far' })).status, 201)     // by no other, also while it is not bound yet
assert.equal((await own('eventSubscriptions', { endpointUrl: `http://127.0.0.1:${hook.address().port}/`, eventTypes: ['Microsoft.Communication.SMSDeliveryReportReceived'] })).status, 201)
const from = await lease(server, key)

let lost = 0
for (let round = 1; round <= rounds; round++) {
  const said = []
  const victim = server
  const at = randomInt(n * 0.1, n * 0.9)
  const all = Array.from({ length: n }, async (_, i) => {
    const mark = `r${round}-m${i}`
    const answer = await ask(server, key, 'POST', '/sms?api-version=2021-03-07', { from, message: mark, smsSendOptions: { enableDeliveryReport: true, tag: mark },
      smsRecipients: [{ to: `+1206555${String(1000 + (i % 8000)).padStart(4, '0')}`, repeatabilityRequestId: randomUUID(), repeatabilityFirstSent: new Date().toUTCString() }] })
    if (answer?.status === 202) said.push(mark)
    if (said.length === at) victim.child.kill('SIGKILL')
  })
  await Promise.all(all)
  await kill(victim)
  server = await serve(folder, n)
  await until('every accepted message at the SMSC', () => { const m = atSmsc(); return said.every((s) => m.has(s)) }, 30000)
  await until('every report at the webhook', () => { const r = new Set(reports); return said.every((s) => r.has(s)) }, 40000)
  const m = atSmsc(), r = tally(reports)
  const miss = said.filter((s) => !m.has(s)).length, missR = said.filter((s) => !r.has(s)).length
  const twice = (map) => said.filter((s) => (map.get(s) ?? 0) > 1).length
  console.log(`# round ${round}: sent ${n}, 202 ${said.length} (killed at ${at}); SMSC received ${said.length - miss}, lost ${miss}, doubled ${twice(m)};` +
    ` webhook received ${said.length - missR}, lost ${missR}, doubled ${twice(r)}`)
  lost += miss + missR
}
/** Every charge for a segment, page by page. */
async function charges() {
  const all = []
  for (let next = '/carterfone/v1/usage?kind=smsOut&limit=1000'; next;) {
    const page = await ask(server, operator, 'GET', next)
    assert.equal(page.status, 200)
    all.push(...page.json.value)
    next = page.json.nextLink
  }
  return all
}
// what reached the SMSC was stored first, whether or not it got its 202: one segment each, charged once each
let charged = []
for (const end = Date.now() + 30000; (charged = await charges()).length < atSmsc().size && Date.now() < end;) await sleep(200)
const causes = tally(charged.map((c) => c.cause)), total = charged.reduce((sum, c) => sum + c.microUsd, 0)
const invoice = (await ask(server, operator, 'GET', '/carterfone/v1/invoice')).json.totals.find((t) => t.kind === 'smsOut')
console.log(`# ${atSmsc().size} segments reached the SMSC, ${charged.length} were charged for ${causes.size} messages; the invoice has ${invoice.quantity}`)
for (const child of [server.child, smsc.child]) { child.kill('SIGTERM'); await new Promise((gone) => child.once('exit', gone)) }
hook.close()
assert.equal(lost, 0, 'accepted messages or their reports were lost')
assert.equal(charged.length, atSmsc().size, 'segments and charges differ')
assert.equal(causes.size, charged.length, 'a segment was charged twice')
assert.deepEqual([invoice.quantity, invoice.microUsd], [charged.length, total])
process.exit(0)
