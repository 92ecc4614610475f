// Every refusal of numbers, accounts, prices, direct routing, and of calls and messages for the sake of a number: what is asked ->
// status, code, rule, text, next step; and that it is kept. Code and texts are those of data/rules.csv, their places filled with what
// stands here. The last test fails when a rule is neither a row here nor shown by the test that `elsewhere` names.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, endpoint, eventually, key, lease, own, operatorSigned, randomUUID, resourceUnder, signed } from './harness.mjs'
import { filled, rules } from './rules.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const keyOf = (text) => Buffer.from(text.match(/accesskey=(.*)/)[1], 'base64')
const version = { sip: '2023-04-01-preview', sms: '2021-03-07', calling: '2026-03-12' }

/** One signed request of the default resource, or of the key given. */
function ask(method, path, body, who = key) {
  const v = version[path.match(/^\/(\w+)/)[1]] ?? '2025-06-01'
  const patch = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {}
  return signed(who, method, `${path}${path.includes('?') ? '&' : '?'}api-version=${v}`, body, patch)
}
const operator = (method, path, body) => operatorSigned(method, `/carterfone/v1/${path}`, body)

/* -- what the rows stand on -------------------------------------------------------------------------------------------- */
const tollFree = { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'inbound+outbound' } }
const local = { phoneNumberType: 'geographic', assignmentType: 'person', capabilities: { calling: 'inbound+outbound', sms: 'none' } }
const found = async (what) => (await (await numbers.beginSearchAvailablePhoneNumbers({ countryCode: 'US', quantity: 1, ...what })).pollUntilDone())
const trial = keyOf(await resourceUnder('r-trial', { offer: 'trial', billingCountry: 'US' }))
const canada = keyOf(await resourceUnder('r-canada', { offer: 'payg', billingCountry: 'CA' }))
const sipper = keyOf(await resourceUnder('r-sip', { offer: 'payg', billingCountry: 'US' }))
const toll = await lease(numbers, { areaCode: '833', calling: 'inbound+outbound', sms: 'inbound+outbound' })
const silent = await lease(numbers, { areaCode: '833', calling: 'none', sms: 'none' })
const home = await lease(numbers, { type: 'geographic', areaCode: '206', calling: 'inbound+outbound' })
const search = (what, who, country = 'US') => ask('POST', `/availablePhoneNumbers/countries/${country}/:search`, what, who)
const buy = (searchId) => ask('POST', '/availablePhoneNumbers/:purchase', { searchId })
const browse = (what) => ask('POST', '/availablePhoneNumbers/countries/US/:browse', what)
const reserve = (id, phoneNumbers, verb = 'PATCH') => ask(verb, `/availablePhoneNumbers/reservations/${id}`, verb === 'PATCH' ? { phoneNumbers } : undefined)
const available = (number, more) => ({ [number.slice(1)]: { countryCode: 'US', ...local, ...more } })
const text = (from, to = '+12065550101') => ask('POST', '/sms', { from, message: 'x', smsRecipients: [{ to }] })
const phone = (value) => ({ kind: 'phoneNumber', phoneNumber: { value } })
const calling = (more, headers = {}) => signed(key, 'POST', '/calling/callConnections?api-version=2026-03-12', { targets: [phone('+12065550101')],
  sourceCallerIdNumber: { value: home }, callbackUri: 'http://127.0.0.1:9/', ...more }, headers)
const call = (from, to) => calling({ targets: [phone(to)], sourceCallerIdNumber: from && { value: from } })
const media = (id, verb, body) => ask('POST', `/calling/callConnections/${id}:${verb}`, body)
const file = { playSources: [{ kind: 'file', file: { uri: 'http://127.0.0.1:9/x.wav' } }] }
const price = (to, from) => operator('GET', `price?to=${encodeURIComponent(to)}${from ? `&from=${from}` : ''}`)
const sip = (body) => ask('PATCH', '/sip', body, sipper)
const route = (more) => ({ routes: [{ name: 'r', numberPattern: '^1', trunks: [], ...more }] })
const many = (n, one) => Object.fromEntries(Array.from({ length: n }, (_, i) => one(i)))
const never = randomUUID()

const expired = await found(tollFree), canceled = await found(tollFree)
await ask('DELETE', `/phoneNumbers/operations/search_${canceled.searchId}`)
const [bought, over, empty, taken] = Array.from({ length: 4 }, () => randomUUID())
await reserve(bought, available('+12065553001'))
await ask('POST', `/availablePhoneNumbers/reservations/${bought}/:purchase`)
await reserve(over, available('+12065553002'))
await own('POST', 'clock/:advance', { seconds: 16 * 60 })
await reserve(empty, {})
await reserve(taken, available('+12065553003'))
await sip({ trunks: { 'a.contoso.com': { sipSignalingPort: 5061 } } })

/** All the numbers of one area code, held: nothing is left to be found there. */
async function exhaust() {
  for (let answer; ;) {
    answer = await search({ ...tollFree, areaCode: '844', quantity: 1000 })
    if (answer.status !== 202) return answer
  }
}

/** Two changes of one number on their way at once: one of them must wait. */
async function race() {
  for (let i = 0; i < 50; i++) {
    const answers = await Promise.all(['inbound', 'outbound', 'none', 'inbound+outbound'].map((sms) => ask('PATCH', `/phoneNumbers/${silent}/capabilities`, { sms })))
    const busy = answers.find((a) => a.status === 429)
    if (busy) return busy
  }
}

/** A call that rings, one that is answered: the first by a handset that waits for its owner, the second by the network itself. */
const [waiting, answering] = ['+12065550130', '+12065550131']
const placed = async (to) => (await (await call(home, to)).json()).callConnectionId
async function unanswered() {
  await own('POST', `handsets/${encodeURIComponent(waiting)}/:attach`)
  return placed(waiting)
}
let standing
async function established() {
  standing ??= await placed(answering)
  await eventually('the answer', async () => (await (await ask('GET', `/calling/callConnections/${standing}`)).json()).callConnectionState === 'connected')
  return standing
}

/** More to be played in one call than may wait: the prompt is somewhere that never answers. */
async function playlist() {
  const deaf = createServer(() => {}), id = await established()
  await new Promise((listening) => deaf.listen(0, '127.0.0.1', listening))
  const prompt = { kind: 'file', file: { uri: `http://127.0.0.1:${deaf.address().port}/x.wav` } }
  try {
    for (let i = 0; i < 64; i++) {
      const answer = await media(id, 'play', { playSources: [prompt] })
      if (answer.status !== 202) return answer
    }
  } finally {
    deaf.close()
    deaf.closeAllConnections()
  }
}

const time = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[^ ]*/, all = "'none', 'inbound', 'outbound' or 'inbound+outbound'"

/* -- the table: rule, status, what fills its places, what is asked; the field at fault --------------------------------- */
const table = [
  // any request
  ['RequestInvalid', 400, ['phoneNumberType'], () => search({}), 'phoneNumberType'],
  ['RequestInvalid', 400, ['it'], () => ask('POST', '/availablePhoneNumbers/:purchase')],
  ['RequestInvalid', 400, ['phoneNumbers'], () => ask('PATCH', `/availablePhoneNumbers/reservations/${never}`, { phoneNumbers: [] }), 'phoneNumbers'],
  ['RequestInvalid', 400, ['top'], () => ask('GET', '/phoneNumbers?top=0'), 'top'],
  ['RequestInvalid', 400, ['trunks'], () => sip({ trunks: [] }), 'trunks'],
  ['RequestInvalid', 400, ['expand'], () => ask('GET', '/sip?expand=everything'), 'expand'],
  ['RequestInvalid', 400, ['targetPhoneNumber'], () => ask('POST', '/sip:testRoutesWithNumber?targetPhoneNumber=me'), 'targetPhoneNumber'],
  ['RequestInvalid', 400, ['offer'], () => operator('POST', 'accounts', { name: 'r-x', offer: 'lottery', billingCountry: 'US' }), 'offer'],
  ['NothingThere', 404, [], () => operator('GET', 'plan?for=person&account=nobody'), 'account'],
  ['AnotherWasFirst', 409, [], () => operator('POST', 'accounts', { name: 'r-trial', offer: 'payg', billingCountry: 'US' }), 'name'],
  ['ApiVersionNeeded', 400, [], () => signed(key, 'GET', '/phoneNumbers')],
  // who may acquire what
  ['TrialSubscriptionNotEligible', 403, ['r-trial', 'trial'], () => search(tollFree, trial)],
  ['TrialSubscriptionNotEligible', 403, ['r-trial', 'trial'], () => ask('PATCH', `/availablePhoneNumbers/reservations/${never}`, { phoneNumbers: available('+12065553009') }, trial)],
  ['BillingCountryNotEligible', 403, ['r-canada', 'CA', 'US', 'US'], () => search(local, canada)],
  ['CountryNotOffered', 400, ['GB', '2020-10', 'US'], () => search(local, key, 'GB'), 'countryCode'],
  ['CountryNotOffered', 400, ['CA', '2020-10', 'US'], () => ask('GET', '/availablePhoneNumbers/countries/ca/offerings'), 'countryCode'],
  ['TollFreeNotForPerson', 400, [], () => search({ ...tollFree, assignmentType: 'person' }), 'assignmentType'],
  ['NumberTypeNotOffered', 400, ['mobile', 'application', '2020-10'], () => search({ ...tollFree, phoneNumberType: 'mobile' }), 'phoneNumberType'],
  ['PlanWithoutSms', 400, ['2020-10'], () => search({ ...local, capabilities: { calling: 'none', sms: 'outbound' } }), 'capabilities.sms'],
  ['PlanWithoutSms', 400, ['2020-10'], () => ask('PATCH', `/phoneNumbers/${home}/capabilities`, { sms: 'inbound' }), 'capabilities.sms'],
  // the request
  ['PrefixInvalid', 400, ['abc', 100], () => browse({ ...local, phoneNumberPrefixes: ['abc'] }), 'phoneNumberPrefixes'],
  ['PhoneNumberTypeUnknown', 400, ['fax'], () => search({ ...tollFree, phoneNumberType: 'fax' }), 'phoneNumberType'],
  ['AssignmentTypeUnknown', 400, ['robot'], () => search({ ...tollFree, assignmentType: 'robot' }), 'assignmentType'],
  ['CapabilityUnknown', 400, ['often', 'capabilities.sms'], () => search({ ...tollFree, capabilities: { calling: 'none', sms: 'often' } }), 'capabilities.sms'],
  ['CapabilityUnknown', 400, ['often', 'calling'], () => ask('PATCH', `/phoneNumbers/${toll}/capabilities`, { calling: 'often' }), 'calling'],
  ['FieldNeeded', 400, ['capabilities.sms', all], () => search({ ...tollFree, capabilities: { calling: 'none' } }), 'capabilities.sms'],
  ['FieldNeeded', 400, ['phoneNumberType', "'geographic' or 'tollFree', as a query parameter"], () => ask('GET', '/availablePhoneNumbers/countries/US/areaCodes'), 'phoneNumberType'],
  ['FieldNeeded', 400, ['to', 'a phone number such as +442071838750'], () => operator('GET', 'price'), 'to'],
  ['QuantityOutOfRange', 400, [0, 1000], () => search({ ...tollFree, quantity: 0 }), 'quantity'],
  ['QuantityOutOfRange', 400, [1001, 1000], () => search({ ...tollFree, quantity: 1001 }), 'quantity'],
  ['AreaCodeUnknown', 400, ['999', 'US', 'geographic'], () => search({ ...local, areaCode: '999' }), 'areaCode'],
  ['AreaCodeNotOfType', 400, ['833', 'geographic', 'US'], () => search({ ...local, areaCode: '833' }), 'areaCode'],
  ['OutOfStock', 400, [], exhaust],
  ['InvalidPhoneNumber', 400, ['invalid_phone_number'], () => ask('GET', '/phoneNumbers/invalid_phone_number'), 'phonenumber'],
  ['OneNumberOnly', 400, [], () => ask('POST', '/operatorInformation/:search', { phoneNumbers: [home, toll] }), 'phoneNumbers'],
  ['NumberNotFound', 404, ['+14155550100'], () => ask('GET', '/phoneNumbers/+14155550100'), 'phonenumber'],
  ['NumberNotFound', 404, [toll], () => ask('DELETE', `/phoneNumbers/${toll}`, undefined, canada), 'phonenumber'],
  // holds, leases, operations
  ['SearchNotFound', 404, [never], () => ask('GET', `/availablePhoneNumbers/searchResults/${never}`), 'searchId'],
  ['SearchNotFound', 404, [never], () => buy(never), 'searchId'],
  ['ReservationExpired', 409, [time], () => buy(expired.searchId)],
  ['SearchCanceled', 409, [], () => buy(canceled.searchId)],
  ['ReservationIdInvalid', 400, ['mine'], () => ask('GET', '/availablePhoneNumbers/reservations/mine'), 'reservationId'],
  ['ReservationNotFound', 404, [never], () => ask('GET', `/availablePhoneNumbers/reservations/${never}`), 'reservationId'],
  ['ReservationNotActive', 409, [bought, 'completed'], () => reserve(bought, available('+12065553004'))],
  ['ReservationNotActive', 409, [bought, 'completed'], () => reserve(bought, undefined, 'DELETE')],
  ['ReservationOver', 409, [over, time], () => ask('POST', `/availablePhoneNumbers/reservations/${over}/:purchase`)],
  ['ReservationEmpty', 400, [empty], () => ask('POST', `/availablePhoneNumbers/reservations/${empty}/:purchase`)],
  ['ReservationTooLarge', 400, [1000], () => reserve(randomUUID(), many(1001, (i) => Object.entries(available(`+1503555${2000 + i}`))[0])), 'phoneNumbers'],
  ['ReservedNumberUnknown', 400, ['abc'], () => reserve(randomUUID(), { abc: {} }), 'phoneNumbers'],
  ['NumberBusy', 429, [silent], race],
  ['OperationNotFound', 404, [`purchase_${never}`], () => ask('GET', `/phoneNumbers/operations/purchase_${never}`), 'operationId'],
  ['OperationNotFound', 404, [`search_${never}`], () => ask('DELETE', `/phoneNumbers/operations/search_${never}`), 'operationId'],
  // what a leased number may do
  ['SmsNotAvailableForNumberType', 400, ['2020-10'], () => text(home), 'from'],
  ['SmsNotOutbound', 400, [silent], async () => { await change(silent, { sms: 'inbound' }); return text(silent) }, 'from'],
  ['SenderNotLeased', 401, [], () => text('+18335550999'), 'from'],
  ['SenderNotLeased', 401, [], () => text('Carterfone'), 'from'],
  ['CallerIdNeeded', 403, [], () => call(undefined, '+12065550101')],
  ['CallerIdNotLeased', 403, ['+12065550199'], () => call('+12065550199', '+12065550101')],
  ['CallerIdWithoutCalling', 403, [silent], () => call(silent, '+12065550101')],
  ['CallDestinationNotAllowed', 403, [toll, '+442071838750', 'toll-free', 'US', '2020-10'], () => call(toll, '+442071838750')],
  ['CallDestinationNotAllowed', 403, [toll, '+16135550101', 'toll-free', 'US', '2020-10'], () => call(toll, '+16135550101')],
  ['NoRateForDestination', 403, ['+8835100012345'], () => call(home, '+8835100012345')],
  ['NoRateForDestination', 403, ['+8835100012345'], () => price('+8835100012345')],
  ['DestinationClosed', 403, ['+19005550100'], () => call(home, '+19005550100')],
  ['DestinationClosed', 403, ['+19005550100'], () => price('+19005550100')],
  ['CallDestinationInvalid', 400, ['12'], () => call(home, '12')],
  ['CallDestinationInvalid', 400, ['12'], () => price('12'), 'to'],
  ['RepeatabilityIdTooLong', 400, [128], () => calling({}, { 'repeatability-request-id': 'x'.repeat(129) })],
  ['CallNotFound', 404, [], () => ask('GET', `/calling/callConnections/${never}`)],
  ['CallNotEstablished', 400, [], async () => media(await unanswered(), 'play', file)],
  ['ParticipantNotInCall', 400, ['+12065550199'], async () => media(await established(), 'play', { ...file, playTo: [{ phoneNumber: { value: '+12065550199' } }] })],
  ['MediaQueueFull', 429, [32], playlist],
  ['UnsupportedTarget', 501, ['A call to several targets'], () => calling({ targets: [phone('+12065550101'), phone('+12065550102')] })],
  ['UnsupportedTarget', 501, ['A call to anything but a phone number'], () => calling({ targets: [{ kind: 'communicationUser', rawId: '8:acs:x' }] })],
  ['UnsupportedPlaySource', 501, ['text'], async () => media(await established(), 'play', { playSources: [{ kind: 'text', text: { text: 'x' } }] })],
  ['UnsupportedRecognizeInput', 501, ['anything but tones'], async () => media(await established(), 'recognize', { recognizeInputType: 'speech', recognizeOptions: { targetParticipant: phone(answering) } })],
  ['UnsupportedCallOption', 501, ['Media streaming'], () => calling({ mediaStreamingOptions: { startMediaStreaming: true } })],
  // carriers
  ['NameReserved', 400, [], () => operator('POST', 'smscs', { name: 'sim', host: '192.0.2.1:2775', systemId: 'x' })],
  // direct routing
  ['InvalidTrunkFqdn', 422, [], () => sip({ trunks: { _: { sipSignalingPort: 5061 } } }), 'trunks._'],
  ['InvalidTrunkPort', 422, ['b.contoso.com'], () => sip({ trunks: { 'b.contoso.com': { sipSignalingPort: 65536 } } }), 'trunks.b.contoso.com'],
  ['TooManyTrunks', 422, [251, 250], () => sip({ trunks: many(250, (i) => [`t${i}.contoso.com`, { sipSignalingPort: 5061 }]) }), 'trunks'],
  ['InvalidDomain', 422, ['contoso'], () => sip({ domains: { contoso: { enabled: true } } }), 'domains.contoso'],
  ['TooManyDomains', 422, [251, 250], () => sip({ domains: many(251, (i) => [`d${i}.contoso.com`, { enabled: true }]) }), 'domains'],
  ['MissingTrunk', 422, [], () => sip(route({ trunks: ['never.contoso.com'] })), 'routes[0]'],
  ['TooManyRoutes', 422, [251, 250], () => sip({ routes: Array.from({ length: 251 }, (_, i) => ({ name: `r${i}`, numberPattern: '^1' })) }), 'routes'],
  ['InvalidRouteName', 422, [], () => sip(route({ name: '' })), 'routes[0]'],
  ['DuplicateRouteName', 422, ['r'], () => sip({ routes: [...route().routes, ...route().routes] }), 'routes[1]'],
  ['InvalidRouteDescription', 422, ['r'], () => sip(route({ description: 'x'.repeat(1025) })), 'routes[0]'],
  ['InvalidNumberPattern', 422, ['r', /.+/], () => sip(route({ numberPattern: '(' })), 'routes[0]'],
  ['TooManyRouteTrunks', 422, ['r', 251, 250], () => sip(route({ trunks: Array(251).fill('a.contoso.com') })), 'routes[0]'],
  ['DuplicateRouteTrunk', 422, ['r', 'a.contoso.com'], () => sip(route({ trunks: ['a.contoso.com', 'a.contoso.com'] })), 'routes[0]'],
]

const change = async (number, body) => assert.equal((await ask('PATCH', `/phoneNumbers/${number}/capabilities`, body)).status, 202)

/** The refusal is kept under the id of the request, with its rule and its next step. */
async function kept(answer, rule, error) {
  const id = answer.headers.get('x-ms-request-id')
  const story = await eventually(`explain ${id}`, () => own('GET', `explain/${id}`).catch(() => null))
  const line = (step) => story.lines.find((l) => l.step === step)?.text
  assert.equal(story.kind, 'refusal')
  assert.equal(line('rule'), rule)
  assert.equal(line('do'), error.innererror.message)
  assert.ok(JSON.stringify(story.lines).includes(String(answer.status)), JSON.stringify(story.lines))
}

const shown = new Set()
for (const [rule, status, args, input, target] of table) {
  test(`${rule}: ${String(input).replace(/^(async )?\(\) => /, '').slice(0, 100)}`, async () => {
    const known = rules.get(rule)
    assert.ok(known, `data/rules.csv has no rule ${rule}`)
    const answer = await input()
    const { error } = await answer.json()
    assert.equal(answer.status, status, JSON.stringify(error))
    assert.equal(error.innererror?.code, rule, JSON.stringify(error))
    assert.match(error.innererror.message, filled(known.next, args))
    if (!GENERAL.has(rule)) {
      assert.equal(error.code, known.code)
      assert.match(error.message, filled(known.text, args))
    }
    assert.ok(error.code && error.message)
    assert.equal(error.target, target)
    if (status === 429) assert.equal(answer.headers.get('retry-after'), '1')
    await kept(answer, rule, error)
    shown.add(rule)
  })
}
/* These name the rule of what has words of its own already. */
const GENERAL = new Set(['RequestInvalid', 'NothingThere', 'AnotherWasFirst'])

/* -- refusals that are no answer of their own ---------------------------------------------------------------------------- */

test('one number of a reservation, one recipient of a message: refused beside the others that are not', async () => {
  const answer = await reserve(randomUUID(), { ...available('+12065553003'), ...available('+12065553005') })
  assert.equal(answer.status, 207)
  const inside = Object.values((await answer.json()).phoneNumbers), gone = inside.find((n) => n.phoneNumber === '+12065553003')
  assert.equal(gone.status, 'error')
  assert.equal(gone.error.code, 'NumberNotAvailable')
  assert.match(gone.error.message, filled(rules.get('NumberNotAvailable').text, ['+12065553003', 'geographic', 'US']))
  assert.equal(inside.find((n) => n.phoneNumber === '+12065553005').status, 'reserved')
  shown.add('NumberNotAvailable')

  const sent = await ask('POST', '/sms', { from: toll, message: 'x', smsRecipients: [{ to: '+1425555012345' }, { to: '+442071838750' }, { to: '+19005550100' }, { to: '+12065550101' }] })
  assert.equal(sent.status, 202)
  const { value: [invalid, abroad, closed, fine] } = await sent.json()
  assert.deepEqual([invalid, abroad, closed, fine].map((r) => r.httpStatusCode), [400, 400, 400, 202])
  assert.match(invalid.errorMessage, filled(rules.get('SmsDestinationInvalid').text))
  const both = (rule, args) => filled(`${rules.get(rule).text} ${rules.get(rule).next}`, args)
  assert.match(abroad.errorMessage, both('SmsDestinationNotAllowed', ['+442071838750', 'toll-free', 'US', '2020-10']))
  assert.match(closed.errorMessage, both('DestinationClosed', ['+19005550100']))
  shown.add('SmsDestinationInvalid').add('SmsDestinationNotAllowed')
})

/** What the simulated network heard when `from` dialled `to`. */
async function dialled(from, to) {
  await own('POST', `handsets/${encodeURIComponent(from)}/:dial`, { to })
  const { lastCall } = await eventually('the end of the call', async () =>
    (await own('GET', 'handsets')).value.find((h) => h.number === from && h.lastCall?.endedAt))
  return [lastCall.sipStatus, lastCall.q850]
}

test('callers whom a number does not take are turned away', async () => {
  assert.deepEqual(await dialled('+12065550120', silent), [403, 21])
  assert.deepEqual(await dialled('+442071838750', toll), [403, 21])
  assert.deepEqual(await dialled('+12065550121', '+12065553333'), [404, 1])
  const log = readFileSync(`${process.env.CARTERFONE_TMP}/server.log`, 'utf8')
  for (const rule of ['CallingNotInbound', 'CallOriginNotAllowed']) {
    assert.match(log, new RegExp(`refused with 403: ${rule}`))
    shown.add(rule)
  }
})

test('texts that a number does not take are not received', async (t) => {
  const hook = await endpoint(t)
  await own('POST', 'eventSubscriptions', { endpointUrl: `${hook.url}/in`, eventTypes: ['Microsoft.Communication.SMSReceived'] })
  const say = (from, to, text) => own('POST', `handsets/${encodeURIComponent(from)}/:sms`, { to, text })
  await change(silent, { sms: 'outbound' })
  await say('+12065550120', silent, 'not taken: no inbound SMS')
  await say('+442071838750', toll, 'not taken: from abroad')
  await say('+12065550120', toll, 'taken')
  await hook.event('SMSReceived', (data) => data.message === 'taken')
  assert.deepEqual(hook.events.map((e) => e.event.data.message), ['taken'])
  const log = readFileSync(`${process.env.CARTERFONE_TMP}/server.log`, 'utf8')
  for (const rule of ['SmsNotInbound', 'SmsOriginNotAllowed']) {
    assert.match(log, new RegExp(`not taken: ${rule}`))
    shown.add(rule)
  }
})

/* -- nothing is left out --------------------------------------------------------------------------------------------------- */

/* Rules that no request can be made to break here, or that another area shows: the test that names each. */
const elsewhere = {
  SubscriptionNotActive: 'tests/unit/domain/numbers/test_plan.c',
  StoreBusy: 'tests/unit/domain/numbers/test_numbers_refusals.c',
  CallingNotOutbound: 'tests/unit/domain/numbers/test_numbers.c',
}

const sourcesOf = (folder) => readdirSync(folder, { recursive: true }).filter((f) => f.endsWith('.c')).map((f) => readFileSync(new URL(f, folder), 'utf8'))

/* What can be refused only once numbers of a real carrier can be leased, or in another edition: their rows come with those. */
const later = new Set(['EmergencyTrunkMissing', 'PlanWithoutCalling'])

test('every rule has a row, or a test elsewhere that names it', () => {
  const missing = [], sources = sourcesOf(new URL('../../src/', import.meta.url))
  for (const name of rules.keys()) {
    const constant = `RULE_${name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}`
    if (later.has(name) || !sources.some((text) => text.includes(constant))) continue         // nothing can refuse with it
    const file = elsewhere[name] ? readFileSync(new URL(`../../${elsewhere[name]}`, import.meta.url), 'utf8') : ''
    if (shown.has(name) === Boolean(elsewhere[name] && (file.includes(`"${name}"`) || file.includes(`'${name}'`) || file.includes(constant)))) missing.push(name)
  }
  assert.deepEqual(missing, [], 'rules without a row, or with one and an entry in `elsewhere`')
})
