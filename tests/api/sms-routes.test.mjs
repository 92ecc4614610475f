// Which SMSC carries which message: routes by prefix, sender, priority, cost and weight; what happens when one is lost or refuses.
// Two more simulated networks, processes of their own, stand for two carriers.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, eventually, folder, lease, own, randomUUID, refused } from './harness.mjs'
import { network, networksEnd } from './networks.mjs'

const sms = new SmsClient(connectionString)
const from = await lease(new PhoneNumbersClient(connectionString), { areaCode: '833', sms: 'inbound+outbound' })
after(networksEnd)

const smsc = async (name) => (await own('GET', 'smscs')).value.find((s) => s.name === name)
const route = (name, carrier, more = {}) => own('POST', 'smsRoutes', { name, carrier, ...more })
const noRoutes = async () => { for (const { name } of (await own('GET', 'smsRoutes')).value) await own('DELETE', `smsRoutes/${name}`) }
const send = async (to, message = randomUUID()) => (await sms.send({ from, to: [to], message }))[0].messageId
const story = async (id) => (await own('GET', `explain/${id}`)).lines
const delivered = (ids, within = 20000) => eventually('all delivered', async () => (await Promise.all(ids.map((id) => own('GET', `messages/${id}`)))).every((m) => m.state === 'delivered'), within)

const east = await network('east'), west = await network('west')

test('the longest prefix decides, then cost; the record says who was considered', async (t) => {
  t.after(noRoutes)
  await route('us', 'east', { prefix: '+1', costMicro: 7500 })
  await route('us-cheap', 'west', { prefix: '+1', costMicro: 4000 })
  await route('seattle', 'east', { prefix: '1206' })
  const far = await send('+13105550101'), near = await send('+12065550101')
  await delivered([far, near])
  assert.equal((await own('GET', `messages/${far}`)).carrier, 'west')
  assert.equal((await own('GET', `messages/${near}`)).carrier, 'east')
  const told = (await story(far)).find((l) => l.step === 'route').text
  assert.match(told, /^west \(route us-cheap, \+1, priority 100, cost 0\.004, weight 1; up\); then east \(route us, \+1, .*; up\)$/)
  const { value } = await own('GET', `smsRoutes/:why?from=${encodeURIComponent(from)}&to=%2B12065550101`)
  assert.deepEqual(value.map((c) => [c.carrier, c.chosen, c.route.name]), [['east', true, 'seattle'], ['west', false, 'us-cheap']])
})

test('without a route that matches, the sender\'s own carrier takes it, and that is told', async (t) => {
  t.after(noRoutes)
  await route('uk', 'east', { prefix: '+44' })
  const id = await send('+12065550102')
  await delivered([id])
  assert.match((await story(id)).find((l) => l.step === 'route').text, /^west: no route matches/)
})

test('weights share the recipients, and each keeps its carrier and its order', async (t) => {
  t.after(noRoutes)
  await route('a', 'east', { weight: 3 })
  await route('b', 'west', { weight: 1 })
  const recipients = Array.from({ length: 60 }, (_, i) => `+1312555${String(1000 + i)}`)
  const ids = []
  for (let round = 0; round < 3; round++)
    for (const sent of await sms.send({ from, to: recipients, message: `round ${round}` })) ids.push(sent.messageId)
  await delivered(ids)
  const logs = [east.took(), west.took()]
  for (const to of recipients) {
    const by = logs.map((log) => log.filter((m) => m.to === to).map((m) => m.text))
    assert.ok(by.some((texts) => texts.length === 0), `${to} by both`)
    assert.deepEqual(by.flat(), ['round 0', 'round 1', 'round 2'])
  }
  const share = new Set(logs[0].filter((m) => recipients.includes(m.to)).map((m) => m.to)).size
  assert.ok(share > 30 && share < 58, `${share} of 60 for a weight of 3 in 4`)
})

test('what waits for a lost carrier is moved to the next route, in order; what it may have follows after two minutes', async (t) => {
  t.after(noRoutes)
  const slow = await network('slow', 'answerDelay=10m')
  await route('first', 'slow', { priority: 1 })
  await route('second', 'west', { priority: 2 })
  const texts = Array.from({ length: 20 }, (_, i) => `moved ${i} ${randomUUID()}`), ids = []
  for (const text of texts) ids.push(await send('+12065550103', text))
  await eventually('the first is under way', () => slow.took().length === 1)
  await slow.kill()
  await delivered(ids.slice(1))
  const order = () => west.took().filter((m) => texts.includes(m.text)).map((m) => m.text)
  assert.deepEqual(order(), texts.slice(1))
  await own('POST', 'clock/:advance', { seconds: 180 })
  await delivered(ids)
  assert.deepEqual(order(), [...texts.slice(1), texts[0]])
  assert.ok((await story(ids[0])).some((l) => l.text === 'from slow to west: its link was lost'))
})

test('a carrier that is back is taken again', async (t) => {
  t.after(noRoutes)
  await route('first', 'east', { priority: 1 })
  await route('second', 'west', { priority: 2 })
  await east.kill()
  await eventually('east is down', async () => !(await smsc('east')).up)
  const meanwhile = await send('+12065550103')
  await delivered([meanwhile])
  assert.equal((await own('GET', `messages/${meanwhile}`)).carrier, 'west')
  await east.start('')
  const back = await send('+12065550103')
  await delivered([back])
  assert.equal((await own('GET', `messages/${back}`)).carrier, 'east')
})

test('a carrier that refuses for now costs a detour; one that refuses for good does not', async (t) => {
  t.after(noRoutes)
  await network('full', 'refusePercent=100,refuseStatus=ESME_RX_T_APPN')
  await network('strict', 'refusePercent=100,refuseStatus=ESME_RSUBMITFAIL')
  await route('first', 'full', { priority: 1, prefix: '+1206' })
  await route('second', 'west', { priority: 2 })
  const id = await send('+12065550104')
  await delivered([id])
  const lines = await story(id)
  assert.ok(lines.some((l) => l.text.startsWith('full refused it')), JSON.stringify(lines))
  assert.ok(lines.some((l) => l.step === 'route' && l.text === 'from full to west: it refused for now'), JSON.stringify(lines))
  await own('PATCH', 'smsRoutes/first', { carrier: 'strict' })
  const bad = await send('+12065550105')
  await eventually('it failed', async () => (await own('GET', `messages/${bad}`)).state === 'failed')
  assert.equal((await own('GET', `messages/${bad}`)).carrier, 'strict')
})

test('a route is changed and removed by its name alone', async (t) => {
  t.after(noRoutes)
  await route('one', 'east', { prefix: '+44', weight: 5 })
  assert.equal((await refused(() => route('one', 'west'), 409)).innererror.code, 'RouteTaken')
  const changed = await own('PATCH', 'smsRoutes/one', { weight: 7, sender: '+1833*' })
  assert.deepEqual(changed, { name: 'one', prefix: '+44', sender: '+1833*', pool: '', carrier: 'east', weight: 7, priority: 100, costMicro: 0 })
  assert.deepEqual((await own('GET', 'smsRoutes')).value, [changed])
  await own('DELETE', 'smsRoutes/one')
  assert.deepEqual((await own('GET', 'smsRoutes')).value, [])
})

test('a receipt by another bind of the same SMSC finds its message; a receiver carries none', async (t) => {
  t.after(noRoutes)
  const ready = join(folder, 'pair.json')
  const child = spawn(process.env.CARTERFONE, ['sim', '--sim-smpp', '127.0.0.1:0', '--sim-sip', '127.0.0.1:0', '--ready-file', ready, '--sim-smsc', 'answerId=hex,receiptId=dec'], { stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  await eventually('network', () => existsSync(ready), 20000)
  const at = JSON.parse(readFileSync(ready, 'utf8')).simSmpp
  await own('POST', 'smscs', { name: 'pair-out', host: at, systemId: 'pair', bind: 'transmitter', simulated: true })
  await own('POST', 'smscs', { name: 'pair-in', host: at, systemId: 'pair', bind: 'receiver', simulated: true })
  await eventually('both are up', async () => (await smsc('pair-out')).up && (await smsc('pair-in')).up)
  await route('in', 'pair-in', { priority: 1 })
  await route('out', 'pair-out', { priority: 2 })
  const ids = []
  for (let i = 0; i < 22; i++) ids.push(await send(`+1206555${1000 + i}`))
  await delivered(ids)
  assert.ok((await own('GET', `messages/${ids[0]}`)).carrier === 'pair-out')
  assert.ok((await story(ids[0])).some((l) => l.step === 'receipt' && l.text.startsWith('receipt of pair-in: id ')))
  assert.equal((await smsc('pair-out')).receiptId, 'hex-dec')
})

test('manners of an SMSC are checked when they are told', async () => {
  const wrong = { receiptId: 'octal', dataCoding: 256, answerWithin: 301, throttleStatus: ['nonsense'], transientStatus: 'x', permanentStatus: ['0'], optoutStatus: ['x'], optoutError: ['70000'], tlvs: ['1=2=3x', 'hex:'] }
  for (const [name, value] of Object.entries(wrong)) {
    const e = await own('POST', 'smscs', { name: 'never', host: '127.0.0.1:9', systemId: 'x', simulated: true, [name]: value }).then(() => assert.fail(name), (e) => e)
    assert.equal(e.statusCode, 400)
    assert.equal(e.error.target, name)
  }
  assert.equal(await smsc('never'), undefined)
})
