// Toll-free verification and short-code briefs as signed requests (their SDKs are in no registry), and the operator's decision.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, key, lease, own, randomUUID, resourceUnder, signed } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const tollFree = 'api-version=2023-01-10-preview1', shortCodes = 'api-version=2021-10-25-preview'
const merge = { 'content-type': 'application/merge-patch+json' }
const campaigns = (id = '', rest = '') => `/tollfreeVerification/countries/US/campaignBriefs${id && '/' + id}${rest}?${tollFree}`
const programs = (id = '', rest = '') => `/shortCodes/countries/US/programBriefs${id && '/' + id}${rest}?${shortCodes}`

async function ask(method, target, body, status, { headers = {}, by = key } = {}) {
  const answer = await signed(by, method, target, body, headers)
  const text = await answer.text()
  assert.equal(answer.status, status, `${method} ${target}: ${answer.status} ${text}`)
  return text ? JSON.parse(text) : undefined
}
const put = (target, body, status = 201) => ask('PATCH', target, body, status, { headers: merge })

const campaign = (phoneNumbers) => ({
  businessPointOfContact: { firstName: 'Ada', lastName: 'Byron', phone: '+12065550100', email: 'ada@contoso.com',
    address: { addressLine1: '1 Main St', country: 'US' } },
  businessInformation: { companyName: 'Contoso', companyUrl: 'https://contoso.com',
    address: { addressLine1: '1 Main St', locality: 'Seattle', administrativeDivision: 'WA', postalCode: '98101', country: 'US' } },
  useCaseInfo: { sampleMessages: ['Your parcel has come.'], useCase: 'CourierServicesAndDeliveries', useCaseSummary: 'Parcels.' },
  phoneNumbers, estimatedMonthlyVolume: 'V1000', additionalInformation: 'Opt-in on our site',
  optInDetails: { description: 'A box to tick', options: [{ type: 'website', imageUrls: ['https://contoso.com/box.png'] }] },
  privacyPolicyUrl: 'https://contoso.com/privacy', termsAndConditionsUrl: 'https://contoso.com/terms',
  businessRegistrationDetails: { businessRegistrationNumber: '12-3456789', businessEntityType: 'PRIVATE_PROFIT',
    businessRegistrationType: 'EIN', businessRegistrationCountry: 'US' },
})
const program = () => ({
  programDetails: { isVanity: false, numberType: 'shortCode', isPoliticalCampaign: false, name: 'Contoso Shipping', description: 'Parcels',
    url: 'https://contoso.com', signUpTypes: ['website', 'sms'], signUpUrl: 'https://contoso.com/box.png',
    termsOfServiceUrl: 'https://contoso.com/terms', privacyPolicyUrl: 'https://contoso.com/privacy',
    expectedDateOfService: '2026-12-24T12:00:00Z' },
  companyInformation: { name: 'Contoso', url: 'https://contoso.com', address: '1 Main St, Seattle',
    contactInformation: { name: 'Ada', phone: '+12065550100', email: 'ada@contoso.com' },
    customerCareInformation: { tollFreeNumber: '+18335550123', email: 'care@contoso.com' } },
  messageDetails: { types: ['sms'], recurrence: 'subscription', optInMessage: 'Reply YES', optInReply: 'YES', confirmationMessage: 'Done',
    estimatedRampUpTimeInDays: 30, directionality: 'twoWay',
    useCases: [{ contentType: 'informationalAlerts', examples: [{ messages: [{ type: 'toUser', text: 'Your parcel has come.' }] }] }] },
  trafficDetails: { estimatedVolume: 1000, monthlyAverageMessagesFromUser: 1, monthlyAverageMessagesToUser: 4, isSpiky: true,
    spikeDetails: 'December' },
})

test('a campaign brief goes from draft to approved', async () => {
  const id = randomUUID(), number = await lease(numbers, { sms: 'inbound+outbound' })
  const said = campaign([number.slice(1)])
  const made = await put(campaigns(id), { id, ...said })
  assert.deepEqual({ ...made, statusUpdatedDate: 0 },
    { id, status: 'draft', reviewNotes: [], statusUpdatedDate: 0, countryCode: 'US', ...said, attachments: [] })
  const changed = await put(campaigns(id), { additionalInformation: null, useCaseInfo: { useCase: 'mixed' }, status: 'approved' }, 200)
  assert.deepEqual([changed.status, changed.additionalInformation, changed.useCaseInfo],
    ['draft', undefined, { ...said.useCaseInfo, useCase: 'Mixed' }])
  const submitted = await ask('POST', campaigns(id, '/:submit'), undefined, 200)
  assert.equal(submitted.status, 'submitted')
  assert.ok(Date.parse(submitted.submissionDate) > 0)
  assert.equal((await ask('PATCH', campaigns(id), {}, 409, { headers: merge })).error.innererror.code, 'BriefState')
  assert.equal((await ask('DELETE', campaigns(id), undefined, 409)).error.innererror.code, 'BriefState')
  const decided = await own('POST', `registrations/${id}/:decide`, { decision: 'approve', note: 'Welcome' })
  assert.deepEqual([decided.kind, decided.status, decided.numbers], ['tollFreeVerification', 'approved', [number]])
  const now = await ask('GET', campaigns(id.toUpperCase()), undefined, 200)
  assert.deepEqual([now.status, now.reviewNotes[0].message], ['approved', 'Welcome'])
  assert.ok(Date.parse(now.reviewNotes[0].date) > 0)
})

test('lists are in pages, by country and as summaries, and only of the resource', async () => {
  const mine = [randomUUID(), randomUUID(), randomUUID()]
  for (const id of mine) await put(campaigns(id), { phoneNumbers: ['18335550123'] })
  const found = [], summaries = []
  for (let next = campaigns().replace('?', '?top=2&'); next;) {
    const page = await ask('GET', next, undefined, 200)
    assert.ok(page.campaignBriefs.length <= 2)
    found.push(...page.campaignBriefs.map((b) => b.id))
    next = page.nextLink
  }
  for (let next = `/tollfreeVerification/campaignBriefs?skip=1&top=1&${tollFree}`; next;) {
    const page = await ask('GET', next, undefined, 200)
    summaries.push(...page.campaignBriefSummaries)
    next = page.nextLink
  }
  assert.deepEqual(found.slice(-3), mine)
  assert.deepEqual(summaries.map((s) => s.id), found.slice(1))
  assert.deepEqual(summaries.at(-1), { id: mine[2], countryCode: 'US', briefType: 'tollfreeVerification', status: 'draft', phoneNumbers: ['18335550123'] })
  assert.deepEqual((await ask('GET', campaigns().replace('/US/', '/CA/'), undefined, 200)).campaignBriefs, [])
  const other = Buffer.from((await resourceUnder('registrations', { offer: 'payg', billingCountry: 'US' })).match(/accesskey=(.*)/)[1], 'base64')
  assert.deepEqual((await ask('GET', campaigns(), undefined, 200, { by: other })).campaignBriefs, [])
  await ask('GET', campaigns(mine[0]), undefined, 404, { by: other })
  for (const id of mine) await ask('DELETE', campaigns(id), undefined, 204)
  await ask('GET', campaigns(mine[0]), undefined, 404)
})

test('what is wrong is said with the field, the rule and what to do', async () => {
  const id = randomUUID()
  const no = async (method, target, body, status, rule, field) => {
    const { error } = await ask(method, target, body, status, { headers: merge })
    assert.equal(error.innererror?.code, rule, JSON.stringify(error))
    assert.ok(error.innererror.message)
    if (field) assert.equal(error.target, field)
  }
  await no('PATCH', campaigns('mine'), {}, 400, 'BriefIdInvalid', 'campaignBriefId')
  await no('PATCH', campaigns(id), { id: randomUUID() }, 400, 'BriefIdMismatch', 'id')
  await no('PATCH', campaigns(id).replace('/US/', '/DE/'), {}, 400, 'VerificationCountry', 'countryCode')
  await no('PATCH', campaigns(id), { estimatedMonthlyVolume: 'V7' }, 400, 'BriefFieldInvalid', 'estimatedMonthlyVolume')
  await no('PATCH', campaigns(id), { businessInformation: { companyUrl: 'contoso' } }, 400, 'BriefFieldInvalid', 'businessInformation.companyUrl')
  await no('POST', campaigns(id, '/:submit'), undefined, 404, 'BriefNotFound')
  await put(campaigns(id), { ...campaign(['+18335550123']), businessInformation: null })
  await no('POST', campaigns(id, '/:submit'), undefined, 400, 'BriefIncomplete', 'businessInformation.companyName')
  await put(campaigns(id), campaign(['+18335550123']), 200)
  await no('POST', campaigns(id, '/:submit'), undefined, 400, 'BriefNumberNotLeased', 'phoneNumbers')
  await put(campaigns(id), campaign([await lease(numbers, { type: 'geographic', calling: 'inbound+outbound', areaCode: '206' })]), 200)
  await no('POST', campaigns(id, '/:submit'), undefined, 400, 'BriefNumberNotTollFree', 'phoneNumbers')
  await no('PATCH', programs(id), { programDetails: { preferredVanityNumbers: ['1'] } }, 400, 'BriefFieldInvalid', 'programDetails.preferredVanityNumbers[0]')
  await no('PATCH', campaigns(id), { additionalInformation: Array.from({ length: 9 }, () => 'x').join('y'.repeat(3000)) }, 400, 'BriefFieldInvalid', 'additionalInformation')
})

test('files are attached to a brief', async () => {
  const brief = randomUUID(), one = randomUUID(), two = randomUUID()
  const at = (id = '') => campaigns(brief, `/attachments${id && '/' + id}`)
  const file = (id, content = 'a picture') => ({ id, type: 'optInWebsite', fileName: 'box.png', fileType: 'png', fileContentBase64: Buffer.from(content).toString('base64') })
  await ask('PUT', at(one), file(one), 404)
  await put(campaigns(brief), {})
  assert.deepEqual(await ask('PUT', at(one), file(one), 201), { ...file(one), fileSizeInBytes: 9 })
  await ask('PUT', at(one), { ...file(one, 'another'), fileSizeInBytes: 7 }, 200)
  await ask('PUT', at(two), file(two), 201)
  assert.deepEqual(await ask('GET', at(one), undefined, 200), { ...file(one, 'another'), fileSizeInBytes: 7 })
  const all = (await ask('GET', at(), undefined, 200)).attachments.map((a) => a.id).sort()
  assert.deepEqual(all, [one, two].sort())
  const first = await ask('GET', at().replace('?', '?top=1&'), undefined, 200)
  const second = await ask('GET', first.nextLink, undefined, 200)
  assert.deepEqual([first.attachments.length, second.attachments.length, second.nextLink ?? null], [1, 1, null])
  assert.deepEqual((await ask('GET', campaigns(brief), undefined, 200)).attachments.map((a) => a.fileName), ['box.png', 'box.png'])
  for (const [bad, field] of [[{ ...file(one), type: 'x' }, 'type'], [{ ...file(one), fileType: 'exe' }, 'fileType'], [{ ...file(one), fileContentBase64: '?' }, 'fileContentBase64'],
    [{ ...file(one), fileSizeInBytes: 3 }, 'fileSizeInBytes'], [{ ...file(one), fileName: undefined }, 'fileName'], [file(two), 'id']])
    assert.equal((await ask('PUT', at(one), bad, 400)).error.target, field)
  assert.equal((await ask('PUT', at(one), file(one, 'x'.repeat(512 * 1024 + 1)), 413)).error.innererror.code, 'AttachmentTooLarge')
  await ask('PUT', at(one), file(one, 'x'.repeat(512 * 1024)), 200)
  await ask('DELETE', at(one), undefined, 204)
  await ask('DELETE', at(one), undefined, 404)
  await ask('GET', at(one), undefined, 404)
  await ask('DELETE', campaigns(brief), undefined, 204)
})

test('an approved program has a short code, which is listed', async () => {
  const id = randomUUID(), vanity = randomUUID(), said = program()
  const made = await put(programs(id), { id, ...said })
  assert.deepEqual({ ...made, statusUpdatedDate: 0 }, { id, status: 'draft', notes: [], statusUpdatedDate: 0, ...said })
  const wish = program()
  wish.programDetails = { ...wish.programDetails, isVanity: true, preferredVanityNumbers: ['24680'] }
  await put(programs(vanity), wish)
  for (const one of [id, vanity]) assert.equal((await ask('POST', programs(one, '/:submit'), undefined, 200)).status, 'submitted')
  assert.deepEqual((await ask('GET', `/shortCodes?${shortCodes}`, undefined, 200)).shortCodes, [])
  await own('POST', `registrations/${vanity}/:decide`, { decision: 'newVanityNumbers', note: '24680 is taken' })
  const returned = await ask('GET', programs(vanity), undefined, 200)
  assert.deepEqual([returned.status, returned.notes[0].message], ['submitNewVanityNumbers', '24680 is taken'])
  await put(programs(vanity), { programDetails: { preferredVanityNumbers: ['13579'] } }, 200)
  await ask('POST', programs(vanity, '/:submit'), undefined, 200)
  await own('POST', `registrations/${id}/:decide`, { decision: 'approve', shortCode: '98765' })
  await own('POST', `registrations/${vanity}/:decide`, { decision: 'approve' })
  const { shortCodes: codes } = await ask('GET', `/shortCodes?${shortCodes}`, undefined, 200)
  assert.deepEqual(codes.map((c) => [c.number, c.numberType, c.countryCode, c.programBriefIds]),
    [['98765', 'shortCode', 'US', [id]], ['13579', 'shortCode', 'US', [vanity]]])
  assert.equal((await ask('GET', programs(id), undefined, 200)).number, '98765')
  const page = await ask('GET', programs().replace('?', '?top=1&'), undefined, 200)
  assert.deepEqual([page.programBriefs.length, (await ask('GET', page.nextLink, undefined, 200)).programBriefs[0].id], [1, vanity])
})

test('only the operator decides, and of what was submitted', async () => {
  const id = randomUUID()
  await put(programs(id), {})
  const refused = await signed(key, 'POST', `/carterfone/v1/registrations/${id}/:decide`, { decision: 'approve' })
  assert.equal(refused.status, 403)
  const no = async (body, status, rule) => {
    const e = await own('POST', `registrations/${id}/:decide`, body).then(() => assert.fail('not refused'), (e) => e)
    assert.deepEqual([e.statusCode, e.error.innererror.code], [status, rule])
  }
  await no({ decision: 'approve' }, 409, 'BriefState')
  await no({ decision: 'bless' }, 400, 'DecisionUnknown')
  const listed = await signed(key, 'GET', '/carterfone/v1/registrations')
  assert.ok((await listed.json()).value.some((r) => r.id === id && r.resource === 'default'))
})

test('the command line lists, shows and decides', async () => {
  const id = randomUUID(), number = await lease(numbers, { sms: 'outbound' })
  const cli = (...args) => new Promise((done) => execFile(process.env.CARTERFONE, [...args, '--data', process.env.CARTERFONE_DATA],
    (e, out, err) => done({ code: e?.code ?? 0, out, err })))
  await put(campaigns(id), campaign([number]))
  await ask('POST', campaigns(id, '/:submit'), undefined, 200)
  assert.match((await cli('registration', 'list')).out, new RegExp(`${id} +tollFreeVerification +default +submitted`))
  const rejected = await cli('registration', 'reject', id, '--code', '4102', '--note', 'Who are you?')
  assert.equal(rejected.code, 0, rejected.err)
  assert.match((await cli('registration', 'show', id)).out, /status +denied[^]*4102: Who are you\?/)
  const again = await cli('registration', 'return', id)
  assert.equal(again.code, 1)
  assert.match(again.err, /denied/)
  assert.equal((await cli('registration', 'approve', id, '--resource', 'default')).code, 0)
  assert.equal((await cli('registration', 'show', randomUUID())).code, 1)
  assert.equal((await cli('numbers', 'show', number)).code, 0)
})
