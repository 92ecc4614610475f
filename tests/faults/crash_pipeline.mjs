// The crash test of the whole path: see test_crash_pipeline.sh. ROUNDS rounds (default 20), N messages are sent in each (default 400).
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, keyOf, kill, newFolder, operatorKey, serve, start } from './server.mjs'

const n = Number(process.env.N ?? 400), rounds = Number(process.env.ROUNDS ?? 20)
const recipients = 10, atOnce = 20, window = 50
const folder = newFolder(), accepted = join(folder, 'accepted.log')

// -- the endpoint: which report came how often; slow enough that some are always under way
const reports = new Map()
const hook = createServer((rq, rs) => {
  let text = ''
  rq.on('data', (piece) => { text += piece })
  rq.on('end', async () => {
    const events = [].concat(JSON.parse(text))
    if (events[0].data.validationCode) return rs.writeHead(200).end(JSON.stringify({ validationResponse: events[0].data.validationCode }))
    for (const { data } of events) reports.set(`${data.tag} ${data.to}`, (reports.get(`${data.tag} ${data.to}`) ?? 0) + 1)
    await sleep(randomInt(20))
    rs.writeHead(200).end()
  })
})
await new Promise((listening) => hook.listen(0, '127.0.0.1', listening))

// -- an SMSC in a process of its own that takes 10 to 40 ms for an answer, and 200 to 600 for a receipt
const smsc = await start(folder, ['sim', '--sim-smpp', '127.0.0.1:0', '--sim-sip', '127.0.0.1:0', '--rtp-ports', '0', '--accepted-log', accepted,
  '--sim-smsc', 'answerDelay=10ms,answerJitter=30ms,receiptDelay=200ms,receiptJitter=400ms'], 'smsc')
/** What it took, in order: "<text> <recipient>". */
const taken = () => existsSync(accepted) ? readFileSync(accepted, 'utf8').split('\n').slice(0, -1).map((line) => {
  const [, , to, , text] = line.split(' ')
  return `${Buffer.from(text, 'hex')} +${to.replace('+', '')}`
}) : []

let server = await serve(folder, atOnce)
const key = keyOf(server.ready.connectionString)
const own = (path, body, method = 'POST') => ask(server, operatorKey(folder), method, `/carterfone/v1/${path}`, body)
assert.equal((await own('smscs', { name: 'far', host: smsc.ready.simSmpp, systemId: 'crash', password: 'x', window, simulated: true })).status, 201)
assert.equal((await own('smsRoutes', { name: 'far', carrier: 'far' })).status, 201)     // by no other, also while it is not bound yet
assert.equal((await own('eventSubscriptions', { endpointUrl: `http://127.0.0.1:${hook.address().port}/`, batch: 20,
  eventTypes: ['Microsoft.Communication.SMSDeliveryReportReceived'] })).status, 201)
const search = await ask(server, key, 'POST', '/availablePhoneNumbers/countries/US/:search?api-version=2025-06-01',
  { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'inbound+outbound' } })
const searchId = search.headers['search-id']
assert.equal((await ask(server, key, 'POST', '/availablePhoneNumbers/:purchase?api-version=2025-06-01', { searchId })).status, 202)
const from = (await ask(server, key, 'GET', `/availablePhoneNumbers/searchResults/${searchId}?api-version=2025-06-01`)).json.phoneNumbers[0]

// -- the load: N messages, ten a request, so many requests at once, until the server dies; what got its 202 was promised
const promised = new Set()
async function load(round) {
  let next = 0
  const one = async () => {
    for (let i = next++; i < n / recipients; i = next++) {
      const mark = `r${round}-m${i}`, to = Array.from({ length: recipients }, (_, k) => `+1206555${2000 + k}`)
      const answer = await ask(server, key, 'POST', '/sms?api-version=2021-03-07', { from, message: mark,
        smsRecipients: to.map((t) => ({ to: t })), smsSendOptions: { enableDeliveryReport: true, tag: mark } })
      if (!answer) return
      assert.equal(answer.status, 202, answer.text)
      assert.ok(answer.json.value.every((r) => r.successful))
      for (const t of to) promised.add(`${mark} ${t}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
}

const marks = []                                // how much the SMSC had taken when each server died
for (let round = 1; round <= rounds; round++) {
  const sent = load(round)
  await sleep(randomInt(50, 900))
  await kill(server)
  await sent
  marks.push(taken().length)
  server = await serve(folder, atOnce)
}
async function until(what, test, within) {
  for (const end = Date.now() + within; !test(); await sleep(100)) if (Date.now() > end) return console.log(`# ${what}: not within ${within} ms`)
}
const every = (there) => [...promised].filter((m) => !there.has(m)).length
await until('every accepted message at the SMSC', () => every(new Set(taken())) === 0, 60000 + promised.size)
await until('every report at the endpoint', () => every(reports) === 0, 60000 + promised.size)

// -- what came of it. A message that the SMSC took again counts for the death that lies between
const all = taken(), last = new Map(), again = Array(rounds).fill(0)
for (const [at, message] of all.entries()) {
  if (last.has(message)) {
    const death = marks.findIndex((mark) => mark > last.get(message) && mark <= at)
    assert.ok(death >= 0, `${message} came twice, and no server had died`)
    again[death]++
  }
  last.set(message, at)
}
const lost = every(last), unreported = every(reports), twice = [...reports.values()].filter((times) => times > 1).length
const doubled = again.reduce((a, b) => a + b, 0)
console.log(`# ${rounds} times kill -9: ${promised.size} messages accepted, ${lost} lost; ${unreported} reports lost, ${twice} came twice; the SMSC took ` +
  `${doubled} twice, at most ${Math.max(...again)} for one death (a window of ${window} unanswered)`)
for (const child of [server.child, smsc.child]) { child.kill('SIGTERM'); await new Promise((gone) => child.once('exit', gone)) }
hook.close()
assert.equal(lost, 0, 'accepted messages were lost')
assert.equal(unreported, 0, 'reports were lost')
assert.ok(Math.max(...again) <= window, `more than the window came twice: ${again}`)
process.exit(0)
