// A long text by each way that a carrier may want it: the handset reads it whole, and each segment is charged.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, eventually, lease, own, ready } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const sms = new SmsClient(connectionString)
const from = await lease(numbers, { areaCode: '844', sms: 'inbound+outbound' })
const to = '+12065550116'
const charged = async (id) => (await own('GET', 'usage?account=default&kind=smsOut&limit=1000')).value.filter((u) => u.cause === id).length

for (const [longAs, segments, submit] of [['udh16', 3, 'submit_sm'], ['sar', 3, 'submit_sm'], ['payload', 3, 'submit_sm'], ['udh', 3, 'submit_sm'],
  ['sar', 3, 'data_sm'], ['payload', 3, 'data_sm'], ['udh', 3, 'data_sm']]) {
  test(`${longAs} by ${submit}: read whole, ${segments} segments charged, one report`, async () => {
    const name = `${longAs}-${submit}`
    await own('POST', 'smscs', { name, host: ready.simSmpp, systemId: name.slice(0, 15), password: 'x', simulated: true, longAs, submit })
    await eventually(`${name} is bound`, async () => (await own('GET', 'smscs')).value.find((s) => s.name === name)?.up)
    const text = `${longAs}: ` + 'Grüße! [€] '.repeat(submit === 'data_sm' ? 31 : 32)
    const [r] = await sms.send({ from, to: [to], message: text }, { enableDeliveryReport: true })
    await eventually('it is read', async () => (await own('GET', `handsets/${encodeURIComponent(to)}/inbox`)).value.some((m) => m.text === text))
    await eventually('its end', async () => (await own('GET', `messages/${r.messageId}`)).state === 'delivered')
    const message = await own('GET', `messages/${r.messageId}`)
    assert.equal(message.carrier, name)
    assert.equal(message.segments, segments)
    assert.equal(await charged(r.messageId), segments)
  })
}

test('a way that is none is refused, with those that are', async () => {
  await assert.rejects(() => own('POST', 'smscs', { name: 'x', host: ready.simSmpp, systemId: 'x', simulated: true, longAs: 'smoke' }), /udh, udh16, sar or payload/)
})
