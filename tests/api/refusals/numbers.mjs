// Numbers: who may acquire what, the request, holds and operations, other editions.
import { randomUUID } from '../harness.mjs'
import { current, local, many, never, old, time, tollFree } from './world.mjs'

const available = (number, more) => ({ [number.slice(1)]: { countryCode: 'US', ...local, ...more } })
const browse = (what) => old.ask('POST', '/availablePhoneNumbers/countries/US/:browse', what)
const trial = await old.resource('r-trial', 'trial', 'US'), canada = await old.resource('r-canada', 'payg', 'CA')
const partner = await current.resource('r-partner', 'csp', 'US')
const toll = await old.lease({ ...tollFree, areaCode: '833', capabilities: { calling: 'inbound+outbound', sms: 'inbound+outbound' } })
const silent = await old.lease({ ...tollFree, areaCode: '833', capabilities: { calling: 'none', sms: 'none' } })
const home = await old.lease({ ...local, areaCode: '206' })

const expired = await old.found(tollFree), canceled = await old.found(tollFree)
await old.ask('DELETE', `/phoneNumbers/operations/search_${canceled.searchId}`)
const [bought, over, empty, taken] = Array.from({ length: 4 }, () => randomUUID())
await old.reserve(bought, available('+12065553001'))
await old.ask('POST', `/availablePhoneNumbers/reservations/${bought}/:purchase`)
await old.reserve(over, available('+12065553002'))
await old.own('POST', 'clock/:advance', { seconds: 16 * 60 })
await old.reserve(empty, {})
await old.reserve(taken, available('+12065553003'))

/** All the numbers of one area code, held: nothing is left to be found there. */
async function exhaust() {
  for (let answer; ;) {
    answer = await old.search({ ...tollFree, areaCode: '844', quantity: 1000 })
    if (answer.status !== 202) return answer
  }
}

/** Changes of one number on their way at once: one of them must wait. */
async function race() {
  for (let i = 0; i < 50; i++) {
    const answers = await Promise.all(['inbound', 'outbound', 'none', 'inbound+outbound'].map((sms) => old.ask('PATCH', `/phoneNumbers/${silent}/capabilities`, { sms })))
    const busy = answers.find((a) => a.status === 429)
    if (busy) return busy
  }
}

const words = "'none', 'inbound', 'outbound' or 'inbound+outbound'", types = "'geographic', 'tollFree' or 'mobile', as a query parameter"
export const numbers = { toll, silent, home, taken: '+12065553003', available }

/* rule, status, what fills its places, what is asked; the field at fault */
export default [
  // any request
  ['RequestInvalid', 400, ['phoneNumberType'], () => old.search({}), 'phoneNumberType'],
  ['RequestInvalid', 400, ['it'], () => old.ask('POST', '/availablePhoneNumbers/:purchase')],
  ['RequestInvalid', 400, ['capabilities'], () => old.search({ ...tollFree, capabilities: [] }), 'capabilities'],
  ['RequestInvalid', 400, ['phoneNumbers'], () => old.reserve(never, []), 'phoneNumbers'],
  ['RequestInvalid', 400, ['top'], () => old.ask('GET', '/phoneNumbers?top=0'), 'top'],
  ['NothingThere', 404, [], () => old.operator('GET', 'plan?for=person&account=nobody'), 'account'],
  ['ApiVersionNeeded', 400, [], () => old.raw('GET', '/phoneNumbers')],
  ['ApiVersionTooOld', 400, ['2022-12-01', 'PhoneNumbers_BrowseAvailableNumbers', '2025-04-01', /2021-03-07.*2025-06-01/],
    () => old.raw('POST', '/availablePhoneNumbers/countries/US/:browse?api-version=2022-12-01', local), 'api-version'],
  // who may acquire what
  ['TrialSubscriptionNotEligible', 403, ['r-trial', 'trial'], () => old.search(tollFree, trial)],
  ['TrialSubscriptionNotEligible', 403, ['r-trial', 'trial'], () => old.ask('PATCH', `/availablePhoneNumbers/reservations/${never}`, { phoneNumbers: available('+12065553009') }, trial)],
  ['BillingCountryNotEligible', 403, ['r-canada', 'CA', 'US', 'US'], () => old.search(local, canada)],
  ['OfferNotEligible', 403, ['r-partner', 'csp', 'local (geographic) number', 'IT', 'payg ea', ', for own use only'], () => current.search(local, partner, 'IT')],
  ['CountryNotOffered', 400, ['GB', '2020-10', 'US'], () => old.search(local, old.key, 'GB'), 'countryCode'],
  ['CountryNotOffered', 400, ['CA', '2020-10', 'US'], () => old.ask('GET', '/availablePhoneNumbers/countries/ca/offerings'), 'countryCode'],
  ['TollFreeNotForPerson', 400, [], () => old.search({ ...tollFree, assignmentType: 'person' }), 'assignmentType'],
  ['NumberTypeNotForPerson', 400, ['mobile number'], () => current.search({ phoneNumberType: 'mobile', assignmentType: 'person', capabilities: { calling: 'none', sms: 'outbound' } }, current.key, 'GB'), 'assignmentType'],
  ['NumberTypeNotOffered', 400, ['mobile', 'application', '2020-10', 'US'], () => old.search({ ...tollFree, phoneNumberType: 'mobile' }), 'phoneNumberType'],
  ['PlanWithoutSms', 400, ['local (geographic) number', 'US', '2020-10', 'none', ", or for phoneNumberType 'tollFree' with assignmentType 'application'"],
    () => old.search({ ...local, capabilities: { calling: 'none', sms: 'outbound' } }), 'capabilities.sms'],
  ['PlanWithoutSms', 400, ['local (geographic) number', 'US', '2020-10', 'none', /.*/], () => old.ask('PATCH', `/phoneNumbers/${home}/capabilities`, { sms: 'inbound' }), 'capabilities.sms'],
  ['PlanWithoutCalling', 400, ['none'], () => current.search({ phoneNumberType: 'mobile', assignmentType: 'application', capabilities: { calling: 'outbound', sms: 'outbound' } }, current.key, 'GB'), 'capabilities.calling'],
  // the request
  ['PrefixInvalid', 400, ['abc', 100], () => browse({ ...local, phoneNumberPrefixes: ['abc'] }), 'phoneNumberPrefixes'],
  ['PhoneNumberTypeUnknown', 400, ['fax'], () => old.search({ ...tollFree, phoneNumberType: 'fax' }), 'phoneNumberType'],
  ['AssignmentTypeUnknown', 400, ['robot'], () => old.search({ ...tollFree, assignmentType: 'robot' }), 'assignmentType'],
  ['CapabilityUnknown', 400, ['often', 'capabilities.sms'], () => old.search({ ...tollFree, capabilities: { calling: 'none', sms: 'often' } }), 'capabilities.sms'],
  ['CapabilityUnknown', 400, ['often', 'calling'], () => old.ask('PATCH', `/phoneNumbers/${toll}/capabilities`, { calling: 'often' }), 'calling'],
  ['FieldNeeded', 400, ['capabilities.sms', words], () => old.search({ ...tollFree, capabilities: { calling: 'none' } }), 'capabilities.sms'],
  ['FieldNeeded', 400, ['phoneNumberType', types], () => old.ask('GET', '/availablePhoneNumbers/countries/US/areaCodes'), 'phoneNumberType'],
  ['QuantityOutOfRange', 400, [0, 1000], () => old.search({ ...tollFree, quantity: 0 }), 'quantity'],
  ['QuantityOutOfRange', 400, [1001, 1000], () => old.search({ ...tollFree, quantity: 1001 }), 'quantity'],
  ['AreaCodeUnknown', 400, ['999', 'US', 'geographic'], () => old.search({ ...local, areaCode: '999' }), 'areaCode'],
  ['AreaCodeNotOfType', 400, ['833', 'geographic', 'US'], () => old.search({ ...local, areaCode: '833' }), 'areaCode'],
  ['OutOfStock', 400, [], exhaust],
  ['InvalidPhoneNumber', 400, ['invalid_phone_number'], () => old.ask('GET', '/phoneNumbers/invalid_phone_number'), 'phonenumber'],
  ['OneNumberOnly', 400, [], () => old.ask('POST', '/operatorInformation/:search', { phoneNumbers: [home, toll] }), 'phoneNumbers'],
  ['NumberNotFound', 404, ['+14155550100'], () => old.ask('GET', '/phoneNumbers/+14155550100'), 'phonenumber'],
  ['NumberNotFound', 404, [toll], () => old.ask('DELETE', `/phoneNumbers/${toll}`, undefined, canada), 'phonenumber'],
  // holds, leases, operations
  ['SearchNotFound', 404, [never], () => old.ask('GET', `/availablePhoneNumbers/searchResults/${never}`), 'searchId'],
  ['SearchNotFound', 404, [never], () => old.buy(never), 'searchId'],
  ['ReservationExpired', 409, [time], () => old.buy(expired.searchId)],
  ['SearchCanceled', 409, [], () => old.buy(canceled.searchId)],
  ['ReservationIdInvalid', 400, ['mine'], () => old.ask('GET', '/availablePhoneNumbers/reservations/mine'), 'reservationId'],
  ['ReservationNotFound', 404, [never], () => old.ask('GET', `/availablePhoneNumbers/reservations/${never}`), 'reservationId'],
  ['ReservationNotActive', 409, [bought, 'completed'], () => old.reserve(bought, available('+12065553004'))],
  ['ReservationNotActive', 409, [bought, 'completed'], () => old.reserve(bought, undefined, 'DELETE')],
  ['ReservationOver', 409, [over, time], () => old.ask('POST', `/availablePhoneNumbers/reservations/${over}/:purchase`)],
  ['ReservationEmpty', 400, [empty], () => old.ask('POST', `/availablePhoneNumbers/reservations/${empty}/:purchase`)],
  ['ReservationTooLarge', 400, [1000], () => old.reserve(randomUUID(), many(1001, (i) => Object.entries(available(`+1503555${2000 + i}`))[0])), 'phoneNumbers'],
  ['ReservedNumberUnknown', 400, ['abc'], () => old.reserve(randomUUID(), { abc: {} }), 'phoneNumbers'],
  ['NumberBusy', 429, [silent], race],
  ['OperationNotFound', 404, [`purchase_${never}`], () => old.ask('GET', `/phoneNumbers/operations/purchase_${never}`), 'operationId'],
  ['OperationNotFound', 404, [`search_${never}`], () => old.ask('DELETE', `/phoneNumbers/operations/search_${never}`), 'operationId'],
]
