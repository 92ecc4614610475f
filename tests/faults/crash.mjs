// The crash test: see test_crash.sh. ROUNDS rounds (default 1) of N requests (default 1,000) at once.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, createHmac, randomInt, randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const program = process.env.CARTERFONE ?? 'build/carterfone'
const n = Number(process.env.N ?? 1000), rounds = Number(process.env.ROUNDS ?? 1)
const folder = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'crash-'))
const accepted = join(folder, 'accepted.log')
const children = new Set()

async function start(args, name) {
  const file = join(folder, `${name}.json`)
  rmSync(file, { force: true })
  const child = spawn(program, [...args, '--ready-file', file, '--quiet'], { stdio: ['ignore', 'ignore', 'inherit'] })
  children.add(child)
  child.once('exit', () => children.delete(child))
  for (let waited = 0; !existsSync(file); waited += 10) {
    assert.ok(waited < 30000 && child.exitCode === null, `${name} did not start (${child.exitCode})`)
    await sleep(10)
  }
  return { child, ready: JSON.parse(readFileSync(file, 'utf8')) }
}
process.on('exit', () => { for (const child of children) child.kill('SIGKILL') })

/** One signed request; the status and JSON, or null when no answer came. */
function ask(server, key, method, target, body) {
  const url = new URL(target, server.ready.api), text = body ? JSON.stringify(body) : ''
  const date = new Date().toUTCString(), hash = createHash('sha256').update(text).digest('base64')
  const signature = createHmac('sha256', key).update(`${method}\n${target}\n${date};${url.host};${hash}`).digest('base64')
  return new Promise((done) => {
    const rq = request(url, { method, agent: server.agent, headers: { host: url.host, 'x-ms-date': date, 'x-ms-content-sha256': hash,
      'content-type': 'application/json', 'content-length': Buffer.byteLength(text),
      authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}` } }, (answer) => {
      let got = ''
      answer.on('data', (piece) => { got += piece })
      answer.on('end', () => done({ status: answer.statusCode, json: got ? JSON.parse(got) : {}, headers: answer.headers }))
      answer.on('error', () => done(null))
    })
    rq.on('error', () => done(null))
    rq.end(text)
  })
}

async function until(what, test, within) {
  for (const end = Date.now() + within; !test(); await sleep(50)) if (Date.now() > end) return console.log(`# ${what}: not within ${within} ms`)
}
const tally = (list) => list.reduce((map, key) => map.set(key, (map.get(key) ?? 0) + 1), new Map())
const atSmsc = () => tally(existsSync(accepted) ? readFileSync(accepted, 'utf8').trim().split('\n').filter(Boolean)
  .map((line) => Buffer.from(line.split(' ')[4], 'hex').toString()) : [])

async function serve() {
  const any = '127.0.0.1:0'
  const server = await start(['serve', '--data', join(folder, 'data'), '--listen', any, '--sip', any, '--sim-sip', any, '--sim-smpp', any, '--rtp-ports', '0'], 'server')
  server.agent = new Agent({ keepAlive: true, maxSockets: n, ca: readFileSync(server.ready.caFile) })
  return server
}

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

const smsc = await start(['sim', '--sim-smpp', '127.0.0.1:0', '--sim-sip', '127.0.0.1:0', '--accepted-log', accepted], 'smsc')
let server = await serve()
const operator = Buffer.from(readFileSync(join(folder, 'data', 'operator.key'), 'utf8').trim(), 'base64')
const key = Buffer.from(server.ready.connectionString.match(/accesskey=(.*)/)[1], 'base64')
const own = (path, body) => ask(server, operator, 'POST', `/carterfone/v1/${path}`, body)
assert.equal((await own('smscs', { name: 'far', host: smsc.ready.simSmpp, systemId: 'crash', password: 'x', window: 100, simulated: true })).status, 201)
assert.equal((await own('eventSubscriptions', { endpointUrl: `http://127.0.0.1:${hook.address().port}/`, eventTypes: ['Microsoft.Communication.SMSDeliveryReportReceived'] })).status, 201)
const from = await lease(server, key)

let lost = 0
for (let round = 1; round <= rounds; round++) {
  const said = []
  const victim = server.child, died = new Promise((gone) => victim.once('exit', gone))
  const kill = randomInt(n * 0.1, n * 0.9)
  const all = Array.from({ length: n }, async (_, i) => {
    const mark = `r${round}-m${i}`
    const answer = await ask(server, key, 'POST', '/sms?api-version=2021-03-07', { from, message: mark, smsSendOptions: { enableDeliveryReport: true, tag: mark },
      smsRecipients: [{ to: `+1206555${String(1000 + (i % 8000)).padStart(4, '0')}`, repeatabilityRequestId: randomUUID(), repeatabilityFirstSent: new Date().toUTCString() }] })
    if (answer?.status === 202) said.push(mark)
    if (said.length === kill) victim.kill('SIGKILL')
  })
  await Promise.all(all)
  victim.kill('SIGKILL')
  await died
  server = await serve()
  await until('every accepted message at the SMSC', () => { const m = atSmsc(); return said.every((s) => m.has(s)) }, 30000)
  await until('every report at the webhook', () => { const r = new Set(reports); return said.every((s) => r.has(s)) }, 40000)
  const m = atSmsc(), r = tally(reports)
  const miss = said.filter((s) => !m.has(s)).length, missR = said.filter((s) => !r.has(s)).length
  const twice = (map) => said.filter((s) => (map.get(s) ?? 0) > 1).length
  console.log(`# round ${round}: sent ${n}, 202 ${said.length} (killed at ${kill}); SMSC received ${said.length - miss}, lost ${miss}, doubled ${twice(m)};` +
    ` webhook received ${said.length - missR}, lost ${missR}, doubled ${twice(r)}`)
  lost += miss + missR
}
/** Every charge for a segment, page by page. */
async function charges() {
  const all = []
  for (let after = ''; after !== null;) {
    const page = await ask(server, operator, 'GET', `/carterfone/v1/usage?kind=smsOut&limit=1000${after && `&after=${encodeURIComponent(after)}`}`)
    assert.equal(page.status, 200)
    all.push(...page.json.value)
    after = page.json.nextAfter
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
