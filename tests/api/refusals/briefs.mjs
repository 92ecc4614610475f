// Registrations: toll-free verification, short-code programs, and the operator's decision of them.
import assert from 'node:assert/strict'
import { randomUUID } from '../harness.mjs'
import { never, old, tollFree } from './world.mjs'
import { numbers } from './numbers.mjs'

const own = await old.lease({ ...tollFree, areaCode: '855' })
const campaigns = (id, rest = '', country = 'US') => `/tollfreeVerification/countries/${country}/campaignBriefs/${id}${rest}`
const programs = (id, rest = '') => `/shortCodes/countries/US/programBriefs/${id}${rest}`
const patch = (path, body, who) => old.ask('PATCH', path, body, who)
const submit = (path) => old.ask('POST', `${path}/:submit`)
const decide = (id, body) => old.operator('POST', `registrations/${id}/:decide`, body)
const file = (id, more) => ({ id, type: 'optInWebsite', fileName: 'box.png', fileType: 'png', fileContentBase64: 'YQ==', ...more })
const attach = (brief, id, more) => old.ask('PUT', campaigns(brief, `/attachments/${id}`), file(id, more))

const campaign = (...phoneNumbers) => ({
  businessPointOfContact: { firstName: 'Ada', lastName: 'Byron', phone: '+12065550100', email: 'ada@contoso.com', address: { addressLine1: '1 Main St', country: 'US' } },
  businessInformation: { companyName: 'Contoso', companyUrl: 'https://contoso.com',
    address: { addressLine1: '1 Main St', locality: 'Seattle', administrativeDivision: 'WA', postalCode: '98101', country: 'US' } },
  useCaseInfo: { sampleMessages: ['Your parcel has come.'], useCase: 'CourierServicesAndDeliveries', useCaseSummary: 'Parcels.' },
  phoneNumbers, estimatedMonthlyVolume: 'V1000', optInDetails: { description: 'A box', options: [{ type: 'website', imageUrls: ['https://contoso.com/box.png'] }] },
  privacyPolicyUrl: 'https://contoso.com/privacy', termsAndConditionsUrl: 'https://contoso.com/terms',
  businessRegistrationDetails: { businessRegistrationNumber: '12-3456789', businessEntityType: 'PRIVATE_PROFIT', businessRegistrationType: 'EIN', businessRegistrationCountry: 'US' },
})
const program = (details) => ({
  programDetails: { isVanity: false, numberType: 'shortCode', isPoliticalCampaign: false, name: 'Parcels', description: 'Parcels', url: 'https://contoso.com', signUpTypes: ['website'],
    signUpUrl: 'https://contoso.com/box.png', termsOfServiceUrl: 'https://contoso.com/terms', privacyPolicyUrl: 'https://contoso.com/privacy', expectedDateOfService: '2026-12-24T12:00:00Z', ...details },
  companyInformation: { name: 'Contoso', url: 'https://contoso.com', address: '1 Main St', contactInformation: { name: 'Ada', phone: '+12065550100', email: 'ada@contoso.com' },
    customerCareInformation: { tollFreeNumber: '+18335550123', email: 'care@contoso.com' } },
  messageDetails: { types: ['sms'], recurrence: 'subscription', optInMessage: 'Reply YES', optInReply: 'YES', confirmationMessage: 'Done', estimatedRampUpTimeInDays: 30,
    directionality: 'twoWay', useCases: [{ contentType: 'informationalAlerts', examples: [{ messages: [{ type: 'toUser', text: 'Here.' }] }] }] },
  trafficDetails: { estimatedVolume: 1000, monthlyAverageMessagesFromUser: 1, monthlyAverageMessagesToUser: 4, isSpiky: true, spikeDetails: 'December' },
})

const made = async (path, body) => { const a = await patch(path, body); assert.ok(a.ok, await a.text()) }
const submitted = async (path, body) => { await made(path, body); const a = await submit(path); assert.equal(a.status, 200, await a.text()) }
const [draft, sent, second, third, alpha, p1, p2, shared, full, attached] = Array.from({ length: 10 }, () => randomUUID())
await made(campaigns(draft), {})
await submitted(campaigns(sent), campaign(own))
await submitted(programs(p1), program())
await submitted(programs(p2), program())
assert.ok((await decide(p1, { decision: 'approve', shortCode: '98765' })).ok)
const other = await old.resource('r-briefs', 'payg', 'US')
await made(campaigns(shared), {})
assert.ok((await patch(campaigns(shared), {}, other)).ok)

const oneOf = async (n, answers) => { let last; for (let i = 0; i < n && (!last || last.ok); i++) last = await answers(i); return last }

/** Changes of one brief on their way at once. */
async function race() {
  for (let i = 0; i < 50; i++) {
    const busy = (await Promise.all(Array.from({ length: 4 }, (_, k) => patch(campaigns(draft), { additionalInformation: `${i} ${k}` })))).find((a) => a.status === 429)
    if (busy) return busy
  }
}

/** Given back with a long note and handed in again, for as long as the notes fit. */
async function annotate() {
  for (let i = 0; i < 100; i++) {
    const answer = await decide(p2, { decision: 'return', note: 'x'.repeat(1000) })
    if (!answer.ok) return answer
    await submit(programs(p2))
  }
}

export default [
  ['BriefIdInvalid', 400, ['mine'], () => patch(campaigns('mine'), {}), 'campaignBriefId'],
  ['BriefIdMismatch', 400, [never], () => patch(campaigns(draft), { id: never }), 'id'],
  ['RegistrationNotFound', 404, ['nonsense'], () => old.operator('GET', 'registrations/nonsense')],
  ['RegistrationNotFound', 404, [never], () => old.operator('POST', `registrations/${never}/:decide`, { decision: 'approve' })],
  ['BriefNotFound', 404, [never], () => old.ask('GET', campaigns(never)), 'campaignBriefId'],
  ['BriefAmbiguous', 409, [shared], () => old.operator('GET', `registrations/${shared}`)],
  ['BriefOtherCountry', 409, [draft, 'US'], () => patch(campaigns(draft, '', 'CA'), {})],
  ['BriefFieldInvalid', 400, ['estimatedMonthlyVolume', /.+/], () => patch(campaigns(draft), { estimatedMonthlyVolume: 'V7' }), 'estimatedMonthlyVolume'],
  ['BriefTooLarge', 413, [65536], () => patch(campaigns(full), { ...campaign(), useCaseInfo: { sampleMessages: Array(20).fill('x'.repeat(4000)) } })],
  ['BriefIncomplete', 400, [/.+/], () => submit(campaigns(draft)), /.+/],
  ['BriefState', 409, [sent, 'submitted', /.+/, /.+/], () => patch(campaigns(sent), {})],
  ['BriefBusy', 429, [draft], race],
  ['TooManyBriefs', 409, [200], () => oneOf(300, () => patch(programs(randomUUID()), {}, other))],
  ['TooManyAttachments', 409, [10], () => oneOf(20, () => attach(draft, randomUUID()))],
  ['AttachmentNotFound', 404, [never], () => old.ask('DELETE', campaigns(draft, `/attachments/${never}`)), 'attachmentId'],
  ['AttachmentTooLarge', 413, [512 * 1024 + 1, 512 * 1024], () => attach(sent, attached, { fileContentBase64: Buffer.alloc(512 * 1024 + 1).toString('base64') }), 'fileContentBase64'],
  ['VerificationCountry', 400, ['DE', /.+/], () => patch(campaigns(never, '', 'DE'), {}), 'countryCode'],
  ['BriefNumberNotLeased', 400, ['+18335550123'], async () => { await made(campaigns(second), campaign('+18335550123')); return submit(campaigns(second)) }, 'phoneNumbers'],
  ['BriefNumberNotTollFree', 400, [numbers.home, 'US'], async () => { await made(campaigns(second), campaign(numbers.home)); return submit(campaigns(second)) }, 'phoneNumbers'],
  ['NumberInOtherBrief', 400, [own, sent], async () => { await made(campaigns(third), campaign(own)); return submit(campaigns(third)) }, 'phoneNumbers'],
  ['AlphaIdNotOffered', 400, [], async () => { await made(campaigns(second), {}); await made(programs(alpha), program({ numberType: 'alphaId' })); return submit(programs(alpha)) }, 'programDetails.numberType'],
  ['ShortCodeInvalid', 400, ['12'], () => decide(p2, { decision: 'approve', shortCode: '12' })],
  ['ShortCodeTaken', 409, ['98765'], () => decide(p2, { decision: 'approve', shortCode: '98765' })],
  ['ShortCodeUnasked', 400, [], () => decide(sent, { decision: 'approve', shortCode: '98764' })],
  ['DecisionUnknown', 400, ['bless'], () => decide(sent, { decision: 'bless' }), 'decision'],
  ['BriefNotesFull', 413, [p2], annotate],
]
