// The simulated SMSC as difficult as real ones are: whatever it does, each message arrives and its report says so.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, endpoint, eventually, lease, operatorSigned, own, randomUUID } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const sms = new SmsClient(connectionString)
const tollFree = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
const smsc = (settings) => own('PATCH', 'sim/smsc', settings)
const reset = () => own('POST', 'sim/smsc/:reset', {})
const inbox = async (number) => (await own('GET', `handsets/${encodeURIComponent(number)}/inbox`)).value
let handset = 100

/** Sends N messages to one handset and waits until each is there and reported. @returns how often each text came */
async function allArrive(n, during = async () => {}) {
  const to = `+1206555${String(handset++).padStart(4, '0')}`
  const texts = Array.from({ length: n }, (_, i) => `${i} ${randomUUID()}`)
  const ids = []
  for (const message of texts) ids.push((await sms.send({ from: tollFree, to: [to], message }, { enableDeliveryReport: true }))[0].messageId)
  await during()
  await eventually('every message delivered', async () => {
    const states = await Promise.all(ids.map(async (id) => (await own('GET', `messages/${id}`)).state))
    return states.every((s) => s === 'delivered')
  }, 30000)
  const arrived = (await inbox(to)).map((m) => m.text)
  const times = texts.map((text) => arrived.filter((a) => a === text).length)
  assert.ok(times.every((count) => count >= 1), `lost: ${texts.filter((_, i) => !times[i])}`)
  return times
}

const once = { 'late answers': { answerDelay: '50ms', answerJitter: '100ms' },
  'a window of 2 that throttles': { window: 2, answerDelay: '20ms' },
  'a window of 2 that stalls': { window: 2, windowFull: 'stalled', answerDelay: '20ms' },
  'a rate of 6': { rate: 6 },
  'a full queue for every fourth': { refusePercent: 25 },
  'slow reading': { readRate: 50 },
  'receipts before answers': { receiptOrder: 'before', answerDelay: '100ms' },
  'every receipt twice': { receiptTwicePercent: 100 },
  'notifications on the way': { intermediate: 'always' },
  'receipts of text alone': { receiptAs: 'text' },
  'receipts of TLVs alone': { receiptAs: 'tlv' },
  'letters as ids': { answerId: 'text' },
  'one deliver_sm at a time': { deliverWindow: 1 },
  'receipts by data_sm, as TLVs': { deliverAs: 'data_sm', receiptAs: 'tlv' },
  'silence on enquire_link and unbind': { enquireLink: 'ignored', unbind: 'ignored' } }
for (const [what, settings] of Object.entries(once)) {
  test(`nothing is lost or doubled by: ${what}`, async (t) => {
    t.after(reset)
    await smsc(settings)
    assert.deepEqual(await allArrive(10), Array(10).fill(1))
  })
}

for (const [cutWhen, repeats] of [['answered', false], ['unanswered', true], ['untaken', false]]) {
  test(`nothing is lost when every seventh submit_sm, ${cutWhen}, ends the link`, async (t) => {
    t.after(reset)
    await smsc({ cutEvery: 7, cutWhen })
    const times = await allArrive(15)
    if (!repeats && cutWhen === 'answered') assert.ok(times.every((n) => n <= 2))
    assert.ok((await own('GET', 'sim/smsc')).counts.cuts >= 1)
  })
}

test('nothing is lost in an outage, and binds refused are tried again', async (t) => {
  t.after(reset)
  await own('POST', 'sim/smsc/:outage', { for: '300ms' })
  await allArrive(3, () => smsc({ bindStatus: 'ESME_RBINDFAIL' }).then(() => eventually('a refused bind', async () => (await own('GET', 'sim/smsc')).counts.bindsRefused > 0))
    .then(() => smsc({ bindStatus: null })))
})

for (const fault of ['throttle count=2', 'queue-full every=3 count=3', 'reject=8 count=3', 'disconnect count=2', 'refuse-bind count=1', 'delay=200ms every=2',
  'early-receipt', 'twice-receipt', 'late-receipt=300ms every=2']) {
  test(`nothing is lost by the fault: ${fault}`, async (t) => {
    t.after(() => own('DELETE', 'faults'))
    await own('POST', 'faults', { fault: `smsc ${fault}` })
    if (fault.startsWith('refuse')) await own('POST', 'sim/smsc/:cut', {})
    const times = await allArrive(8)
    if (!fault.startsWith('disconnect')) assert.deepEqual(times, Array(8).fill(1))      // a window may come twice
    const { value: [armed] } = await own('GET', 'faults')
    assert.ok(armed.hits >= 1, JSON.stringify(armed))
  })
}

test('receipts that never come leave messages submitted, not lost', async (t) => {
  t.after(reset)
  await smsc({ receipts: 'never' })
  const to = `+1206555${String(handset++).padStart(4, '0')}`
  const [{ messageId }] = await sms.send({ from: tollFree, to: [to], message: 'silence' }, { enableDeliveryReport: true })
  await eventually('the message', async () => (await inbox(to)).length === 1)
  assert.equal((await own('GET', `messages/${messageId}`)).state, 'submitted')
})

test('a lost message is told with the state and error of its receipt', async (t) => {
  t.after(reset)
  await smsc({ lossPercent: 100, lossState: 'rejected', lossError: 42 })
  const [{ messageId }] = await sms.send({ from: tollFree, to: ['+12065550148'], message: 'lost' }, { enableDeliveryReport: true })
  const m = await eventually('its end', () => own('GET', `messages/${messageId}`).then((m) => m.state === 'failed' && m))
  assert.equal(m.messageId ?? m.id, messageId)
})

for (const longAs of ['udh', 'udh16', 'sar', 'payload']) {
  test(`long messages from handsets arrive whole as ${longAs}`, async (t) => {
    t.after(reset)
    const hook = await endpoint(t)
    await own('POST', 'eventSubscriptions', { endpointUrl: `${hook.url}/${longAs}`, schema: 'eventgrid', eventTypes: ['Microsoft.Communication.SMSReceived'] })
    await smsc({ longAs })
    const text = `${longAs} {n} ` + 'Grüße aus der Ferne. '.repeat(20)
    await own('POST', 'sim/smsc/:inject', { from: '+12065550120', to: tollFree, text, count: 5, rate: 100, senders: 2 })
    for (let n = 1; n <= 5; n++) {
      const { event } = await hook.event('SMSReceived', (data) => data.message.startsWith(`${longAs} ${n} `))
      assert.equal(event.data.message, text.replace('{n}', n))
      assert.equal(event.data.from, n % 2 ? '+12065550120' : '+12065550121')
    }
  })
}

for (const deliverAs of ['deliver_sm', 'data_sm']) {
  test(`long messages arrive whole from an SMSC that sends one ${deliverAs} at a time`, async (t) => {
    t.after(reset)
    const hook = await endpoint(t)
    await own('POST', 'eventSubscriptions', { endpointUrl: `${hook.url}/${deliverAs}`, schema: 'eventgrid', eventTypes: ['Microsoft.Communication.SMSReceived'] })
    await smsc({ longAs: 'udh', deliverWindow: 1, deliverAs })
    const text = `${deliverAs} at a time {n} ` + 'und so weiter '.repeat(30)
    await own('POST', 'sim/smsc/:inject', { from: '+12065550122', to: tollFree, text, count: 3 })
    for (let n = 1; n <= 3; n++) {
      const { event } = await hook.event('SMSReceived', (data) => data.message.startsWith(`${deliverAs} at a time ${n} `))
      assert.equal(event.data.message, text.replace('{n}', n))
    }
  })
}

test('settings are shown as they are, all or none of a change is taken, and nonsense is explained', async (t) => {
  t.after(reset)
  const { settings } = await smsc({ window: 7, answerDelay: '1500ms', refuseStatus: '0x58', password: 'geheim' })
  assert.deepEqual([settings.window, settings.answerDelay, settings.refuseStatus, settings.password], [7, '1s500ms', 'ESME_RTHROTTLED', '***'])
  for (const [body, words] of [[{ rate: 5, windo: 3 }, /did you mean 'window'/], [{ rate: 5, longAs: 'smoke' }, /one of udh\|udh16\|sar\|payload/], [{ rate: 1e9 }, /0 to 100000/]]) {
    const answer = await operatorSigned('PATCH', '/carterfone/v1/sim/smsc', body)
    assert.equal(answer.status, 400)
    assert.match((await answer.json()).error.message, words)
  }
  assert.equal((await own('GET', 'sim/smsc')).settings.rate, 0)
  assert.equal((await smsc({ window: null })).settings.window, 0)
  const { binds } = await own('GET', 'sim/smsc')
  assert.equal(binds.length, 1)
  assert.equal(binds[0].bind, 'transceiver')
  assert.deepEqual(await own('POST', 'sim/smsc/:cut', { systemId: binds[0].systemId }), { cut: 1 })
  await eventually('the bind again', async () => (await own('GET', 'sim/smsc')).binds.length === 0)
})

for (const [answerId, receiptId, more] of [['hex', 'dec'], ['dec', 'hex'], ['HEX', 'dec', { answerIdDigits: 20 }], ['dec', 'HEX', { receiptIdDigits: 18 }],
  ['hex', 'dec', { receiptOrder: 'before', answerDelay: '50ms' }]]) {
  test(`receipts are found when answers say ${answerId} and they say ${receiptId} ${JSON.stringify(more ?? {})}`, async (t) => {
    t.after(reset)
    await smsc({ answerId, receiptId, ...more })
    assert.deepEqual(await allArrive(6), Array(6).fill(1))
  })
}
