// Edition current: a toll-free number texts once it is verified.
// serve: --edition current
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, endpoint, key, lease, own, randomUUID, signed } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString), sms = new SmsClient(connectionString)
const to = '+12065550123'
const cli = (...args) => new Promise((done) => execFile(process.env.CARTERFONE, [...args, '--data', process.env.CARTERFONE_DATA],
  (e, out, err) => done({ code: e?.code ?? 0, out, err })))

test('an unverified, pending or rejected number is blocked with 4010, a verified one texts', async (t) => {
  const hook = await endpoint(t)
  await own('POST', 'eventSubscriptions', { name: 'reports', endpointUrl: hook.url, eventTypes: ['Microsoft.Communication.SMSDeliveryReportReceived'] })
  const from = await lease(numbers, { sms: 'inbound+outbound' }), id = randomUUID()
  const brief = (rest = '') => `/tollfreeVerification/countries/US/campaignBriefs/${id}${rest}?api-version=2023-01-10-preview1`
  const state = async () => (await own('GET', `phoneNumbers/${from}/registration`)).registration
  const text = async () => {
    const [sent] = await sms.send({ from, to: [to], message: 'hello' }, { enableDeliveryReport: true })
    assert.equal(sent.httpStatusCode, 202)
    const { event } = await hook.event('SMSDeliveryReportReceived', (data) => data.messageId === sent.messageId)
    return { id: sent.messageId, ...event.data }
  }
  const blocked = async (as) => {
    assert.equal(await state(), as)
    const report = await text()
    assert.equal(report.deliveryStatus, 'Failed')
    assert.match(report.deliveryStatusDetails, /^4010/)
    const { lines } = await own('GET', `explain/${report.id}`)
    const line = lines.find((l) => l.step === 'registration' && /TollFreeNotVerified/.test(l.text))
    assert.match(line.text, new RegExp(`${as}.*registration approve`))
    assert.ok(!lines.some((l) => l.step === 'smpp'), 'it left')
  }
  await blocked('unverified')
  const made = await signed(key, 'PATCH', brief(), {
    businessPointOfContact: { firstName: 'Ada', lastName: 'Byron', phone: '+12065550100', email: 'ada@contoso.com' },
    businessInformation: { companyName: 'Contoso', companyUrl: 'https://contoso.com',
      address: { addressLine1: '1 Main St', locality: 'Seattle', administrativeDivision: 'WA', postalCode: '98101', country: 'US' } },
    useCaseInfo: { sampleMessages: ['hello'], useCase: 'Mixed', useCaseSummary: 'Greetings' }, phoneNumbers: [from.slice(1)],
    estimatedMonthlyVolume: 'V10', optInDetails: { options: [{ type: 'keywordSMS' }] } })
  assert.equal(made.status, 201)
  const submit = () => signed(key, 'POST', brief('/:submit'))
  assert.equal((await submit()).status, 200)
  await blocked('pending')
  await own('POST', `registrations/${id}/:decide`, { decision: 'return', note: 'Who is it for?' })
  await blocked('moreInformationNeeded')
  assert.equal((await submit()).status, 200)
  assert.equal((await cli('registration', 'reject', id, '--code', '4102')).code, 0)
  await blocked('rejected')
  assert.equal((await cli('registration', 'approve', id)).code, 0)
  assert.match((await cli('numbers', 'show', from)).out, /registration +verified/)
  assert.equal((await text()).deliveryStatus, 'Delivered')
})

test('a number that needs no registration says so', async () => {
  const local = await lease(numbers, { type: 'geographic', calling: 'inbound+outbound', areaCode: '206' })
  assert.equal((await own('GET', `phoneNumbers/${local}/registration`)).registration, 'notNeeded')
  assert.doesNotMatch((await cli('numbers', 'show', local)).out, /registration/)
})

test('an approved program says what its short code costs', async () => {
  const id = randomUUID(), at = (rest = '') => `/shortCodes/countries/US/programBriefs/${id}${rest}?api-version=2021-10-25-preview`
  const made = await signed(key, 'PATCH', at(), {
    programDetails: { numberType: 'shortCode', name: 'N', description: 'D', url: 'https://contoso.com', signUpTypes: ['sms'],
      termsOfServiceUrl: 'https://contoso.com/t', privacyPolicyUrl: 'https://contoso.com/p' },
    companyInformation: { name: 'Contoso', url: 'https://contoso.com', address: '1 Main St',
      contactInformation: { name: 'Ada', phone: '+12065550100', email: 'ada@contoso.com' }, customerCareInformation: { email: 'care@contoso.com' } },
    messageDetails: { types: ['sms'], recurrence: 'transaction', directionality: 'oneWay', useCases: [{ contentType: 'coupons' }] },
    trafficDetails: { estimatedVolume: 1 } })
  assert.equal((await made.json()).costs, undefined)
  assert.equal((await signed(key, 'POST', at('/:submit'))).status, 200)
  await own('POST', `registrations/${id}/:decide`, { decision: 'approve' })
  const { number, costs } = await (await signed(key, 'GET', at())).json()
  assert.match(number, /^555\d{3}$/)
  assert.deepEqual(costs, [{ amount: 1000, currencyCode: 'USD', billingFrequency: 'monthly' }, { amount: 650, currencyCode: 'USD', billingFrequency: 'once' }])
})
