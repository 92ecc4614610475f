// The delivery report by a message's id, how long a text is of use, and whom it names as messaging-connect partner.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, endpoint, eventually, key, lease, own, randomUUID, resourceUnder, signed } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString), sms = new SmsClient(connectionString)
const from = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
const good = '+12065550110', bad = '+12065550164'
const version = '2026-01-23'
const report = (id, k = key, v = version) => signed(k, 'GET', `/deliveryReports/${encodeURIComponent(id)}?api-version=${v}`)
const reported = (id, k) => eventually(`the report of ${id}`, async () => { const r = await report(id, k); return r.status === 200 && r.json() })
const send = (options, v = version, to = good) => signed(key, 'POST', `/sms?api-version=${v}`,
  { from, smsRecipients: [{ to }], message: 'for a while', smsSendOptions: { enableDeliveryReport: true, ...options } })
const sent = async (...of) => { const answer = await send(...of); assert.equal(answer.status, 202, await answer.clone().text()); return (await answer.json()).value[0].messageId }
const show = (id) => own('GET', `messages/${id}`)
const lines = async (id) => (await own('GET', `explain/${id}`)).lines
const smsc = (settings) => own('PATCH', 'sim/smsc', settings)
const advance = (seconds) => own('POST', 'clock/:advance', { seconds })

test('the report by id is what the event says: delivered, failed, of several segments', async (t) => {
  const hook = await endpoint(t)
  await own('POST', 'eventSubscriptions', { endpointUrl: hook.url, eventTypes: ['Microsoft.Communication.SMSDeliveryReportReceived'] })
  for (const [to, message, status, details] of [[good, 'one', 'Delivered', '2000: Message Delivered Successfully'], [bad, 'one', 'Failed', '5000: Message delivery failed.'],
    [good, 'long text '.repeat(40), 'Delivered', '2000: Message Delivered Successfully']]) {
    const [{ messageId }] = await sms.send({ from, to: [to], message }, { enableDeliveryReport: true, tag: `for ${to} (1 of 2)` })
    const { data } = (await hook.event('SMSDeliveryReportReceived', (d) => d.messageId === messageId)).event
    const got = await report(messageId)
    assert.equal(got.status, 200)
    const asked = await got.json()
    assert.deepEqual(asked, data)
    assert.equal(asked.deliveryStatus, status)
    assert.equal(asked.deliveryStatusDetails, details)
    const [attempt] = asked.deliveryAttempts, segments = (await show(messageId)).segments
    assert.deepEqual([attempt.segmentsSucceeded, attempt.segmentsFailed], status === 'Delivered' ? [segments, 0] : [0, segments])
    assert.ok((await lines(messageId)).some((l) => l.step === 'report' && l.text.startsWith(asked.deliveryStatusDetails)))
  }
})

test('without enableDeliveryReport there is no event, and the report by id all the same', async () => {
  const [{ messageId }] = await sms.send({ from, to: [good], message: 'quietly' })
  assert.equal((await reported(messageId)).deliveryStatus, 'Delivered')
})

test('no report: 404 in the shape of its own, and no word of other resources', async (t) => {
  t.after(() => smsc({ receipts: 'asked' }))
  await smsc({ receipts: 'never' })
  const pending = await sent({})
  await eventually('its carrier', async () => (await show(pending)).state === 'submitted')
  await own('POST', `handsets/${encodeURIComponent(good)}/:sms`, { to: from, text: 'in' })
  const inbound = await eventually('it came in', async () => (await own('GET', 'messages')).value.find((m) => m.direction === 'inbound')?.messageId)
  const other = await resourceUnder(`reports-${randomUUID().slice(0, 8)}`, { offer: 'payg', billingCountry: 'US' })
  const [{ messageId: ours }] = await sms.send({ from, to: [bad], message: 'ours' })
  await reported(ours)
  const theirs = Buffer.from(other.match(/accesskey=(.*)/)[1], 'base64')
  for (const [id, k] of [[pending], [inbound], [ours, theirs], [`Outgoing_20261123000000${randomUUID()}_noam`], ['nothing'], ['Outgoing_'], ['%00']]) {
    const answer = await report(id, k)
    assert.equal(answer.status, 404, id)
    assert.match(answer.headers.get('content-type'), /^application\/problem\+json/)
    const body = await answer.json()
    assert.deepEqual(Object.keys(body).sort(), ['detail', 'status', 'title', 'traceId', 'type'])
    assert.equal(body.traceId, answer.headers.get('x-ms-request-id'))
    assert.equal(body.status, 404)
    assert.match(body.detail, id === pending ? /has no delivery report yet: it is submitted/ : /sent no message of that id/)
  }
  await advance(73 * 3600)                      // no receipt within 72 hours
  assert.equal((await reported(pending)).deliveryStatusDetails, '5002: The carrier gave no delivery report in time.')
})

test('what no carrier takes while it is of use fails then, and not later', async () => {
  await own('POST', 'sim/smsc/:outage', { for: '1h' })
  const short = await sent({ deliveryReportTimeoutInSeconds: 60 }), long = await sent({ deliveryReportTimeoutInSeconds: 600 })
  const old = await sent({ validityPeriodSeconds: 60 }, '2024-02-05'), none = await sent({ deliveryReportTimeoutInSeconds: 60 }, '2024-01-02')
  await advance(59)
  assert.equal((await report(short)).status, 404)
  await advance(2)
  for (const id of [short, old]) {
    const told = await reported(id)
    assert.deepEqual([told.deliveryStatus, told.deliveryStatusDetails.slice(0, 5)], ['Failed', '5001:'])
    assert.deepEqual([told.deliveryAttempts[0].segmentsSucceeded, told.deliveryAttempts[0].segmentsFailed], [0, 1])
    const { lines: story, decision } = await own('GET', `explain/${id}`)
    assert.ok(story.some((l) => l.step === 'validity' && l.text.startsWith('until ')))
    assert.match(decision.next, /No carrier took it in time/)
  }
  assert.equal((await show(long)).state, 'queued')
  assert.equal((await show(none)).state, 'queued', 'that version does not know the option')
  await own('POST', 'sim/smsc/:outage', { for: '1ms' })         // instead of the hour
  assert.equal((await reported(long)).deliveryStatus, 'Delivered')
  assert.equal((await reported(none)).deliveryStatus, 'Delivered')
})

test('without a receipt while it is of use it is reported so', async (t) => {
  t.after(() => smsc({ receipts: 'asked' }))
  await smsc({ receipts: 'never' })
  const id = await sent({ deliveryReportTimeoutInSeconds: 120 })
  await eventually('its carrier', async () => (await show(id)).state === 'submitted')
  await advance(121)
  const told = await reported(id)
  assert.deepEqual([told.deliveryStatus, told.deliveryStatusDetails], ['Failed', '5002: The carrier gave no delivery report in time.'])
  assert.ok((await lines(id)).some((l) => l.text === 'no receipt while it was valid'))
})

test('a partner of messaging connect is named in the trail, its key nowhere', async () => {
  const secret = `key-${randomUUID()}`
  const before = await sent({ messagingConnect: { partner: 'infobip', apiKey: secret } }, '2025-09-17')
  const now = await sent({ messagingConnect: { partner: 'infobip', partnerParams: { ApiKey: secret } } })
  for (const id of [before, now]) {
    const told = JSON.stringify([await lines(id), await show(id)])
    assert.match(told, /infobip is named as messaging-connect partner/)
    assert.ok(!told.includes(secret))
  }
})

test('options that cannot be say which and why', async () => {
  for (const [options, v, target] of [[{ deliveryReportTimeoutInSeconds: 59 }, version, 'deliveryReportTimeoutInSeconds'], [{ deliveryReportTimeoutInSeconds: 43201 }, version, 'deliveryReportTimeoutInSeconds'],
    [{ deliveryReportTimeoutInSeconds: '60' }, version, 'deliveryReportTimeoutInSeconds'], [{ validityPeriodSeconds: 0 }, '2022-07-07', 'validityPeriodSeconds'],
    [{ messagingConnect: { partner: 'x' } }, '2025-09-17', 'smsSendOptions.messagingConnect.apiKey'], [{ messagingConnect: { partner: 'x', apiKey: 'k' } }, version, 'smsSendOptions.messagingConnect.partnerParams'],
    [{ messagingConnect: { partner: 'x', partnerParams: {} } }, version, 'smsSendOptions.messagingConnect.partnerParams'], [{ messagingConnect: { partner: 'x', partnerParams: [1] } }, version, 'smsSendOptions.messagingConnect.partnerParams'],
    [{ messagingConnect: { partnerParams: {} } }, version, 'smsSendOptions.messagingConnect.partner'], [{ messagingConnect: { partner: 'x'.repeat(65), partnerParams: {} } }, version, 'smsSendOptions.messagingConnect.partner']]) {
    const answer = await send(options, v)
    assert.equal(answer.status, 400, JSON.stringify(options))
    assert.equal((await answer.json()).error.target, target)
  }
})
