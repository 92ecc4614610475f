// A running server's state kept and put back: rows, clock, faults, what the simulated networks hold; reset; waiting requests.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, endpoint, eventually, key, lease, own, refused, signed, sleep } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString), sms = new SmsClient(connectionString)
const inbox = async (number) => (await own('GET', `handsets/${encodeURIComponent(number)}/inbox`)).value.map((m) => m.text)
const leased = async () => { const all = []; for await (const n of numbers.listPurchasedPhoneNumbers()) all.push(n.phoneNumber); return all.sort() }
const clock = async () => Date.parse((await own('GET', 'clock')).productTime)
const state = (id) => own('GET', `messages/${id}`).then((m) => m.state)
const send = (to, message) => sms.send({ from, to: [to], message }, { enableDeliveryReport: true }).then(([sent]) => sent.messageId)
const from = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })

test('rows, product clock, handsets, faults and pending receipts are as they were', async () => {
  await own('POST', 'clock/:advance', { seconds: 86400 })
  const first = await send('+12065550110', 'before')
  await eventually('its receipt', async () => await state(first) === 'delivered')
  const late = await send('+12065550162', 'its receipt comes after 10 s')
  await eventually('it to be submitted', async () => await state(late) === 'submitted')
  await own('POST', 'faults', { fault: 'api 503 path=/rooms count=2' })
  const had = await leased(), then = await clock()
  const taken = await own('POST', 'snapshots', { name: 'one' })
  assert.equal(taken.underWay, 0)
  assert.ok(taken.tookMs < 1000)

  await own('DELETE', 'faults')
  const other = await lease(numbers, { areaCode: '844', sms: 'outbound' })
  await own('POST', 'clock/:advance', { seconds: 90 * 86400 })
  const lost = await send('+12065550110', 'after')
  await eventually('it to arrive', async () => (await inbox('+12065550110')).includes('after'))
  assert.ok((await leased()).includes(other))

  const restored = await own('POST', 'snapshots/one/:restore')
  assert.ok(restored.tookMs < 1000 * (process.env.CARTERFONE.includes('asan') ? 5 : 1), `${restored.tookMs} ms`)
  assert.deepEqual(await leased(), had)
  const now = await clock()
  assert.ok(now >= then && now < then + 60000, `${new Date(now)}`)
  assert.deepEqual(await inbox('+12065550110'), ['before'])
  await refusedHere(own('GET', `messages/${lost}`), 404)
  assert.deepEqual((await own('GET', 'faults')).value.map((f) => [f.fault, f.state, f.hits]), [['api 503 path=/rooms count=2', 'armed', 0]])
  await eventually('the receipt that was pending', async () => await state(late) === 'delivered', 30000)
  const again = await send('+12065550110', 'life goes on')
  await eventually('a new one', async () => await state(again) === 'delivered')
  assert.deepEqual(await inbox('+12065550110'), ['before', 'life goes on'])
})

async function refusedHere(promise, status) {
  const e = await promise.then(() => assert.fail('it was not refused'), (e) => e)
  assert.equal(e.statusCode, status)
  return e
}

test('an event whose endpoint is away goes on after a restore, with its id', async (t) => {
  const hook = await endpoint(t)
  await own('POST', 'eventSubscriptions', { endpointUrl: hook.url, name: 'kept', eventTypes: ['Microsoft.Communication.SMSDeliveryReportReceived'] })
  await own('POST', 'faults', { fault: 'webhook refused subscription=kept' })
  const id = await send('+12065550110', 'told later')
  await eventually('the first try', async () => (await own('GET', 'faults')).value.some((f) => f.fault.startsWith('webhook') && f.hits))
  await own('POST', 'snapshots', { name: 'undelivered' })
  await own('DELETE', 'faults')
  await own('POST', 'clock/:advance', { seconds: 60 })
  const { event: once } = await hook.event('SMSDeliveryReportReceived', (data) => data.messageId === id)
  hook.events.length = 0
  await own('POST', 'snapshots/undelivered/:restore')
  await own('DELETE', 'faults')
  await own('POST', 'clock/:advance', { seconds: 60 })
  const { event: twice } = await hook.event('SMSDeliveryReportReceived', (data) => data.messageId === id)
  assert.equal(twice.id, once.id)
})

test('telephones and the SMSC behave as they were told, after a restore; after a reset as at the start', async () => {
  const path = (number) => `handsets/${encodeURIComponent(number)}/:set`, smsc = async () => (await own('GET', 'sim/smsc')).settings
  const told = async (number) => (await own('GET', 'handsets')).value.find((h) => h.number === number)?.behaviour
  await own('POST', path('+12065550111'), { behaviour: ['answer-after=2s', 'echo=dtmf'] })
  await own('POST', path('*'), { behaviour: ['press=12'] })
  await own('PATCH', 'sim/smsc', { answerDelay: '20ms', receiptId: 'hex', moText: 'with "a", b', password: 'secret' })
  const settings = await smsc()
  await own('POST', 'snapshots', { name: 'told' })
  await own('POST', 'handsets/:clear', {})
  await own('POST', path('+12065550112'), { behaviour: ['refuse=486'] })
  await own('POST', 'sim/smsc/:reset', {})
  assert.notDeepEqual(await smsc(), settings)
  await own('POST', 'snapshots/told/:restore')
  assert.deepEqual(await smsc(), settings)
  assert.deepEqual(await told('+12065550111'), ['answer-after=2s', 'echo=dtmf'])
  assert.equal(await told('+12065550112'), undefined)
  assert.deepEqual((await own('GET', 'sim/handsets')).behaviour, ['press=12'])
  await own('PATCH', 'sim/smsc', { password: null })     // the server's own bind has another
  await own('DELETE', 'snapshots/told')
})

test('a call ends and its ports stay; who waits for events is answered; requests that come meanwhile wait', async () => {
  const local = await lease(numbers, { type: 'geographic', areaCode: '206', calling: 'inbound+outbound', assignment: 'person' })
  await own('POST', 'snapshots', { name: 'quiet' })
  const { id } = await own('POST', 'calls', { from: local, to: '+12065550101' })
  await eventually('the call', async () => (await own('GET', `calls/${id}`)).state === 'connected')
  const waiting = own('GET', 'events?after=0&wait=20')
  await sleep(50)
  const began = Date.now()
  const [restored, ...answers] = await Promise.all([own('POST', 'snapshots/quiet/:restore'), ...Array.from({ length: 20 }, () => leased())])
  assert.ok(restored.productTime)
  for (const answer of answers) assert.ok(answer.includes(local))
  await waiting
  assert.ok(Date.now() - began < 15000)
  await refusedHere(own('GET', `calls/${id}`), 404)
  await eventually('the handset to be idle', async () => (await own('GET', 'handsets')).value.every((h) => h.state === 'idle'))
  const next = await own('POST', 'calls', { from: local, to: '+12065550101' })
  await eventually('a call after it', async () => (await own('GET', `calls/${next.id}`)).state === 'connected')
  await own('POST', `calls/${next.id}/:hangup`)
})

test('snapshots are listed and deleted; what is no name and no snapshot is refused', async () => {
  assert.deepEqual((await own('GET', 'snapshots')).value.map((s) => s.name).sort(), ['one', 'quiet', 'undelivered'])
  await own('DELETE', 'snapshots/one')
  await refusedHere(own('POST', 'snapshots/one/:restore'), 404)
  await refusedHere(own('DELETE', 'snapshots/one'), 404)
  await refusedHere(own('POST', 'snapshots/%2Efirst/:restore'), 404)
  for (const name of ['../x', '.first', 'a/b', 'x'.repeat(65)])
    assert.equal((await refusedHere(own('POST', 'snapshots', { name }), 400)).error.innererror.code, 'SnapshotName')
  assert.equal((await signed(key, 'POST', '/carterfone/v1/:reset')).status, 403)
})

test('reset: nothing is left but what the first start had; the connection string stays valid', async () => {
  await own('POST', 'sim/smsc/:inject', { from: '+12065550113', to: '+18335550142', text: 'on and on', count: 100000, rate: 1 })
  await own('POST', 'sim/smsc/:outage', { for: '1h' })
  await own('POST', ':reset')
  const { runs, outageUntil } = await own('GET', 'sim/smsc')
  assert.deepEqual([runs, outageUntil], [0, undefined])
  assert.deepEqual((await own('GET', 'sim/handsets')).behaviour, [])
  assert.equal((await own('GET', 'sim/smsc')).settings.receiptId, 'same')
  assert.deepEqual(await leased(), [])
  assert.deepEqual(await inbox('+12065550110'), [])
  assert.deepEqual((await own('GET', 'messages')).value, [])
  assert.deepEqual((await own('GET', 'faults')).value, [])
  assert.ok(Math.abs(await clock() - Date.now()) < 60000)
  const fresh = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
  const [sent] = await sms.send({ from: fresh, to: ['+12065550110'], message: 'new' })
  assert.ok(sent.successful)
  await refused(() => sms.send({ from: '+18335559999', to: ['+12065550110'], message: 'x' }), 401)
})

test('the command line takes, restores, resets and deletes', async () => {
  const home = mkdtempSync(join(tmpdir(), 'carterfone-snapshot-'))
  const { startServer, stopServer } = await import('./server.mjs')
  const { server } = await startServer(process.env.CARTERFONE, home)
  const ctl = (...words) => execFileSync(process.env.CARTERFONE, ['--data', join(home, 'data'), ...words], { encoding: 'utf8', stdio: 'pipe' })
  assert.match(ctl('snapshot', 'list'), /No snapshot/)
  assert.match(ctl('snapshot', 'a'), /^snapshot a taken in \d+ ms/)
  ctl('account', 'add', 'more', '--offer', 'payg', '--billing-country', 'US')
  assert.match(ctl('account', 'list'), /more/)
  assert.match(ctl('restore', 'a'), /^restored in \d+ ms/)
  assert.doesNotMatch(ctl('account', 'list'), /more/)
  assert.match(ctl('reset'), /^reset in \d+ ms/)
  ctl('smsc', 'add', 'real', '--host', '127.0.0.1:9', '--system-id', 'x', '--password', 'x')
  for (const words of [['reset'], ['restore', 'a']]) assert.throws(() => ctl(...words), (e) => e.status === 1 && e.stderr.includes('RealCarrierThere') && e.stderr.includes('--force'))
  assert.match(ctl('smsc', 'list'), /real/)
  assert.match(ctl('reset', '--force'), /^reset in \d+ ms/)
  assert.doesNotMatch(ctl('smsc', 'list'), /real/)
  assert.match(ctl('reset'), /^reset in \d+ ms/)
  ctl('snapshot', 'delete', 'a')
  assert.throws(() => ctl('restore', 'a'), (e) => e.status === 1)
  await stopServer(server)
  rmSync(home, { recursive: true, force: true })
})

test('a restore that requests under way hold up for 5 s changes nothing, and says RestoreHeldUp', async () => {
  await own('POST', 'snapshots', { name: 'later' })
  const number = await lease(numbers, { areaCode: '877', sms: 'outbound' })
  const { id } = await own('POST', 'faults', { fault: 'store slow=7s count=1 ' })
  const slow = sms.send({ from: number, to: ['+12065550110'], message: 'slow' })
  await eventually('the store to be slow', async () => (await own('GET', 'faults')).value.find((f) => f.id === id)?.hits)
  const e = await refusedHere(own('POST', 'snapshots/later/:restore'), 409)
  assert.equal(e.error.innererror.code, 'RestoreHeldUp')
  assert.ok((await slow)[0].successful)
  assert.ok((await leased()).includes(number))
  await own('POST', 'snapshots/later/:restore')
  assert.ok(!(await leased()).includes(number))
})

test('a server in memory: its operator has the key that was given', async () => {
  const home = mkdtempSync(join(tmpdir(), 'carterfone-memory-')), operator = Buffer.alloc(32, 7)
  process.env.CARTERFONE_OPERATOR_KEY = operator.toString('base64')
  const { startServer, stopServer } = await import('./server.mjs')
  const { server, ready } = await startServer(process.env.CARTERFONE, home, ['--in-memory'])
  const at = ready.api.replace('https:', 'http:')
  const ask = async (method, path, body) => {
    const answer = await signed(operator, method, `${at}/carterfone/v1/${path}`, body), text = await answer.text()
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
    return text ? JSON.parse(text) : {}
  }
  const accounts = async () => JSON.stringify(await ask('GET', 'accounts'))
  await ask('POST', 'snapshots', { name: 'm' })
  await ask('POST', 'accounts', { name: 'more', offer: 'payg', billingCountry: 'US' })
  assert.match(await accounts(), /more/)
  await ask('POST', 'snapshots/m/:restore')
  assert.doesNotMatch(await accounts(), /more/)
  await ask('POST', 'snapshots/m/:restore')
  await ask('POST', ':reset')
  assert.deepEqual((await ask('GET', 'snapshots')).value.map((s) => [s.name, s.octets]), [['m', null]])
  await ask('DELETE', 'snapshots/m')
  for (let i = 0; i < 100; i++)
    await ask('POST', 'snapshots', { name: `m${i}` })
  await assert.rejects(ask('POST', 'snapshots', { name: 'm5' }), /: 409 .*There is a snapshot 'm5' already/)
  await ask('POST', 'snapshots', { name: 'm5', force: true })
  const [meanwhile] = await Promise.all([signed(operator, 'DELETE', `${at}/carterfone/v1/snapshots/m7`), ask('POST', 'snapshots/m7/:restore').catch((e) => assert.match(e.message, /: 404 /))])
  assert.ok([204, 429].includes(meanwhile.status), `${meanwhile.status}`)
  if (meanwhile.status === 429)
    await ask('DELETE', 'snapshots/m7')
  await ask('POST', 'snapshots', { name: 'm7' })
  await assert.rejects(ask('POST', 'snapshots', { name: 'one-more' }), /: 400 .*There are 100 snapshots/)
  await stopServer(server)
  delete process.env.CARTERFONE_OPERATOR_KEY
  rmSync(home, { recursive: true, force: true })
})
