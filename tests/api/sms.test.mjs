// SMS by @azure/communication-sms, unmodified, over TLS; its events read by @azure/eventgrid.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { EventGridDeserializer } from '@azure/eventgrid'
import { connectionString, endpoint, eventually, key, lease, own, randomUUID, refused, signed } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const sms = new SmsClient(connectionString)
const handsets = ['+12065550101', '+12065550102', '+14255550103']
const tollFree = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
const local = await lease(numbers, { type: 'geographic', areaCode: '206', calling: 'inbound+outbound' })
const inbox = async (number) => (await own('GET', `handsets/${encodeURIComponent(number)}/inbox`)).value

test('three handsets get one message each and the reports reach the webhook', async (t) => {
  const hook = await endpoint(t)
  await own('POST', 'eventSubscriptions', { endpointUrl: `${hook.url}/events`, schema: 'eventgrid', eventTypes: ['Microsoft.Communication.SMSDeliveryReportReceived'] })
  assert.equal(hook.handshakes.length, 1)

  const text = `hello ünï 😀 ${randomUUID()}`
  const results = await sms.send({ from: tollFree, to: handsets, message: text }, { enableDeliveryReport: true, tag: 't1' })
  assert.deepEqual(results.map((r) => r.to), handsets)
  for (const r of results) {
    assert.equal(r.httpStatusCode, 202)
    assert.equal(r.successful, true)
    assert.match(r.messageId, /^Outgoing_\d{14}[0-9a-f-]{36}_noam$/)
    assert.equal(r.errorMessage, undefined)
  }
  for (const r of results) {
    const { event, batch } = await hook.event('SMSDeliveryReportReceived', (data) => data.messageId === r.messageId)
    const [typed] = await new EventGridDeserializer().deserializeEventGridEvents(Array.isArray(batch) ? batch[0] : batch)
    assert.equal(typed.eventType, 'Microsoft.Communication.SMSDeliveryReportReceived')
    assert.equal(event.data.deliveryStatus, 'Delivered')
    assert.equal(event.data.tag, 't1')
    assert.equal(event.data.from, tollFree)
    assert.equal(event.data.to, r.to)
    assert.ok((await inbox(r.to)).some((m) => m.text === text && m.from === tollFree))
  }
})

test('a long message arrives whole', async () => {
  const text = `${randomUUID()} ` + 'The quick brown fox jumps over the lazy dog [€]. '.repeat(12)
  const [r] = await sms.send({ from: tollFree, to: [handsets[0]], message: text })
  assert.equal(r.successful, true)
  await eventually('the long message', async () => (await inbox(handsets[0])).some((m) => m.text === text))
})

test('a handset\'s answer comes as SMSReceived', async (t) => {
  const hook = await endpoint(t)
  await own('POST', 'eventSubscriptions', { endpointUrl: `${hook.url}/in`, schema: 'eventgrid', eventTypes: ['Microsoft.Communication.SMSReceived'] })
  await own('POST', `handsets/${encodeURIComponent(handsets[1])}/:sms`, { to: tollFree, text: 'answer ¿qué? 😀' })
  const { event } = await hook.event('SMSReceived', (data) => data.from === handsets[1])
  assert.equal(event.data.to, tollFree)
  assert.equal(event.data.message, 'answer ¿qué? 😀')
  assert.ok(event.data.messageId && event.data.receivedTimestamp)
})

test('a subscription may have its events as CloudEvents 1.0', async (t) => {
  const hook = await endpoint(t)
  await own('POST', 'eventSubscriptions', { endpointUrl: `${hook.url}/cloud`, schema: 'cloudevents', eventTypes: ['Microsoft.Communication.SMSReceived'] })
  assert.equal(hook.handshakes.length, 1)
  await own('POST', `handsets/${encodeURIComponent(handsets[2])}/:sms`, { to: tollFree, text: 'cloudy' })
  const { event } = await hook.event('SMSReceived', (data) => data.message === 'cloudy')
  assert.equal(event.specversion, '1.0')
  assert.ok(event.id && event.source && event.time)
})

test('a local number cannot send: 400, naming the rule and what to lease instead', async () => {
  const error = await refused(() => sms.send({ from: local, to: [handsets[0]], message: 'no' }), 400)
  assert.equal(error.code, 'BadRequest')
  assert.equal(error.innererror.code, 'SmsNotAvailableForNumberType')
  assert.match(`${error.message} ${error.innererror.message}`, /toll-free/i)
})

test('a sender that is not leased here is 401', async () => {
  for (const from of ['+18445550199', 'nobody']) {
    const error = await refused(() => sms.send({ from, to: [handsets[0]], message: 'no' }), 401)
    assert.equal(error.code, 'Unauthorized')
  }
})

test('a bad recipient fails alone', async () => {
  const results = await sms.send({ from: tollFree, to: ['+1425555012345', handsets[0], '+447700900123'], message: 'two of three are refused' })
  assert.deepEqual(results.map((r) => r.successful), [false, true, false])
  assert.equal(results[0].httpStatusCode, 400)
  assert.equal(results[0].errorMessage, 'Invalid To phone number format.')
  assert.equal(results[0].messageId, undefined)
  assert.ok(results[2].errorMessage)
})

test('the same repeatability id sends once', async () => {
  const body = { from: tollFree, message: `once ${randomUUID()}`,
    smsRecipients: [{ to: handsets[0], repeatabilityRequestId: randomUUID(), repeatabilityFirstSent: new Date().toUTCString() }] }
  const send = async () => (await signed(key, 'POST', '/sms?api-version=2021-03-07', body)).json()
  const [first, second] = [await send(), await send()]
  assert.equal(first.value[0].messageId, second.value[0].messageId)
  await eventually('the message', async () => (await inbox(handsets[0])).some((m) => m.text === body.message))
  await sms.send({ from: tollFree, to: [handsets[0]], message: `after ${body.message}` })
  await eventually('the next one', async () => (await inbox(handsets[0])).some((m) => m.text === `after ${body.message}`))
  assert.equal((await inbox(handsets[0])).filter((m) => m.text === body.message).length, 1)
})

test('what cannot be sent is refused whole', async () => {
  const body = (more) => ({ from: tollFree, message: 'x', smsRecipients: [{ to: handsets[0] }], ...more })
  const tooMany = Array.from({ length: 101 }, (_, i) => ({ to: `+1206555${String(1000 + i)}` }))
  for (const wrong of [body({ message: 'x'.repeat(2049) }), body({ smsRecipients: [] }), body({ smsRecipients: tooMany }), body({ message: undefined })]) {
    const answer = await signed(key, 'POST', '/sms?api-version=2021-03-07', wrong)
    assert.equal(answer.status, 400)
    assert.ok((await answer.json()).error.code)
  }
  assert.equal((await signed(key, 'POST', '/sms', body())).status, 400, 'without api-version')
})

test('explain tells what became of a message, step by step', async () => {
  const [r] = await sms.send({ from: tollFree, to: [handsets[0]], message: 'why' }, { enableDeliveryReport: true })
  const explained = await eventually('the receipt in explain', async () => {
    const e = await own('GET', `explain/${r.messageId}`)
    return /deliver/i.test(JSON.stringify(e.lines)) && e
  })
  assert.ok(explained.lines.length >= 3)
  for (const line of explained.lines) assert.ok(line.time && line.text)
})
