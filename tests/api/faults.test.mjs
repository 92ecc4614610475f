// Faults that an operator asks for, through the whole product: the API, the store, webhooks. Those of the SMSC and of the phone
// network are shown where these are (simulator tests).
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { afterEach } from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, endpoint, eventually, key, lease, own, refused, signed } from './harness.mjs'
import { startServer, stopServer } from './server.mjs'

const once_only = { retryOptions: { maxRetries: 0 } }
const numbers = new PhoneNumbersClient(connectionString)
const sms = new SmsClient(connectionString), impatient = new SmsClient(connectionString, once_only)
const from = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
const arm = (fault) => own('POST', 'faults', { fault })
const hits = async (id) => (await own('GET', 'faults')).value.find((f) => f.id === id)
const text = (client = sms, message = 'x', to = '+12065550110') => client.send({ from, to: [to], message })
afterEach(() => own('DELETE', 'faults'))

test('429: the SDK waits as Retry-After says and goes through; the hits are counted', async () => {
  const { id, state } = await arm('api 429 path=/sms count=2')
  assert.equal(state, 'armed')
  const began = Date.now(), [sent] = await text()
  assert.ok(sent.successful)
  assert.ok(Date.now() - began >= 2000, 'two times a second')
  const after = await hits(id)
  assert.deepEqual([after.state, after.hits, after.fault], ['over', 2, 'api 429 path=/sms count=2'])
})

test('503 and 500 come as the API says them, with the fault as their rule', async () => {
  const { id } = await arm('api 503 path=/sms delay=7s')
  const answer = await signed(key, 'POST', '/sms?api-version=2021-03-07', { from, smsRecipients: [{ to: '+12065550110' }], message: 'x' })
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '7'])
  await own('DELETE', `faults/${id}`)
  await arm('api 500 resource=default method=POST')
  const error = await refused(() => text(impatient), 500)
  assert.equal(error.innererror.code, 'FaultInjected')
  await numbers.getPurchasedPhoneNumber(from)
})

test('explain tells the status that was answered, whichever it was', async () => {
  await arm('api 418 path=/phoneNumbers count=1')
  const answer = await signed(key, 'GET', `/phoneNumbers/${encodeURIComponent(from)}?api-version=2025-06-01`)
  assert.equal(answer.status, 418)
  const told = await eventually('the record', () => own('GET', `explain/${answer.headers.get('x-ms-request-id')}`).catch(() => false))
  assert.match(JSON.stringify(told.lines), /HTTP 418/)
})

test('a request that is cut was never looked at; one whose answer is cut was done', async () => {
  const before = (await own('GET', 'messages')).value.length
  await arm('api drop path=/sms count=1')
  await assert.rejects(text(impatient, 'never'))
  assert.equal((await own('GET', 'messages')).value.length, before)
  await arm('api drop-answer path=/sms count=1')
  await assert.rejects(text(impatient, 'done'))
  await eventually('the message that was taken', async () => (await own('GET', 'messages')).value.length === before + 1)
})

test('a request that waits is answered all the same, and holds up no other', async () => {
  await arm('api delay=1500ms path=/sms count=1')
  const began = Date.now()
  let answered = false
  const slow = text().finally(() => { answered = true })
  await numbers.getPurchasedPhoneNumber(from)
  assert.ok(!answered, 'the other came first')
  assert.ok((await slow)[0].successful)
  assert.ok(Date.now() - began >= 1500)
})

test('without path= the operator\'s own API is spared; what clears faults always is', async () => {
  await arm('api 503')
  assert.ok((await own('GET', 'status')).simulator)
  await arm('api 503 path=/carterfone/v1')
  await assert.rejects(own('GET', 'status'), /503/)
  assert.equal((await own('GET', 'faults')).value.length, 2)
  assert.equal((await own('DELETE', 'faults')).cleared, 2)
  assert.ok((await own('GET', 'status')).simulator)
})

test('the store: what it does not take is 503 and leaves nothing; afterwards all is well', async () => {
  const before = (await own('GET', 'messages')).value.length
  await arm('store full statement=message_insert')
  const error = await text(impatient).then(() => assert.fail('it was taken'), (e) => e)
  assert.equal(error.statusCode, 503)
  assert.equal((await own('GET', 'messages')).value.length, before)
  await own('DELETE', 'faults')
  const [sent] = await text(impatient)
  assert.ok(sent.successful)
})

test('the store: slow commits make slow answers, for as long as the fault says', async () => {
  await arm('store slow=300ms for=1s')
  const began = Date.now()
  await text(impatient)
  assert.ok(Date.now() - began >= 300)
  const over = await eventually('the end of the fault', async () => { const [f] = (await own('GET', 'faults')).value; return f.state === 'over' && f })
  await text(impatient)
  assert.equal((await own('GET', 'faults')).value[0].hits, over.hits)
})

test('the store: a read that fails is said', async () => {
  await arm('store read-error count=1')
  await assert.rejects(own('GET', 'messages'), /503/)
  await own('GET', 'messages')
})

test('webhooks: an endpoint that seems to fail is tried again with the same id, and gets what it missed', async (t) => {
  const hook = await endpoint(t)
  const { id: subscription } = await own('POST', 'eventSubscriptions', { endpointUrl: hook.url, name: 'struck', eventTypes: ['Microsoft.Communication.SMSDeliveryReportReceived'] })
  t.after(() => own('DELETE', `eventSubscriptions/${subscription}`))
  for (const fault of [`webhook 503 url=${hook.url} count=1`, `webhook refused url=${hook.url} count=1`, 'webhook delay=200ms subscription=struck count=1']) {
    const { id } = await arm(fault)
    const [{ messageId }] = await sms.send({ from, to: ['+12065550110'], message: fault }, { enableDeliveryReport: true })
    await eventually(`${fault} to strike`, async () => (await hits(id)).hits === 1)
    if (!fault.includes('delay')) await own('POST', 'clock/:advance', { seconds: 60 })
    const { event } = await hook.event('SMSDeliveryReportReceived', (data) => data.messageId === messageId, 20000)
    assert.equal(hook.events.filter((e) => e.event.id === event.id).length, 1)
  }
})

test('the command line arms, shows and clears', async () => {
  const ctl = (...words) => execFileSync(process.env.CARTERFONE, ['--data', process.env.CARTERFONE_DATA, ...words], { encoding: 'utf8' })
  assert.match(ctl('fault', 'add', 'smsc', 'throttle', 'every=100'), /^fault \d+ armed/)
  assert.match(ctl('fault', 'add', 'phone busy number=+12065550100'), /armed/)
  assert.match(ctl('fault', 'list'), /armed +0 +0 .*smsc throttle every=100/)
  assert.match(ctl('fault', 'kinds'), /drop-answer/)
  assert.match(ctl('fault', 'clear'), /^2 cleared/)
  assert.match(ctl('fault', 'list'), /No fault is armed/)
  assert.throws(() => ctl('fault', 'add', 'smsc', 'throtle'), (e) => e.status === 1 && /Did you mean 'throttle'/.test(e.stderr))
  assert.throws(() => ctl('fault', 'clear', '9999'), (e) => e.status === 1)
})

test('the first real carrier clears what is armed and ends arming, unless the server was started with --faults on', async (t) => {
  const smsc = createServer(() => {}).listen(0, '127.0.0.1')
  await once(smsc, 'listening')
  t.after(() => smsc.close())
  const home = mkdtempSync(join(tmpdir(), 'carterfone-faults-'))
  for (const [more, status] of [[[], 1], [['--faults', 'on'], 0], [['--faults', 'off'], 1]]) {
    const { server } = await startServer(process.env.CARTERFONE, home, more)
    const ctl = (...words) => execFileSync(process.env.CARTERFONE, ['--data', join(home, 'data'), ...words], { encoding: 'utf8', stdio: 'pipe' })
    const ending = (...words) => { try { ctl(...words); return 0 } catch (e) { return e.status } }
    try {
      if (!more.length) {
        ctl('fault', 'add', 'api', '503')
        ctl('smsc', 'add', 'real', '--host', `127.0.0.1:${smsc.address().port}`, '--system-id', 'x', '--password', 'x')
        assert.match(ctl('fault', 'list'), /No fault is armed/)
      }
      assert.equal(ending('fault', 'add', 'api', '503'), status, more.join(' '))
    } finally {
      await stopServer(server)
    }
  }
  rmSync(home, { recursive: true, force: true })
})
