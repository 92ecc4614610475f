// What each version of the phone-number API has, as signed requests: operations, fields, types; and names in other languages.
// serve: --edition current
import assert from 'node:assert/strict'
import test from 'node:test'
import { key, randomUUID, signed } from './harness.mjs'

const versions = ['2021-03-07', '2022-12-01', '2024-03-01-preview', '2025-06-01']
const ask = async (method, target, version, body, headers) => {
  const answer = await signed(key, method, `${target}${target.includes('?') ? '&' : '?'}api-version=${version}`, body, headers)
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : {} }
}
const us = '/availablePhoneNumbers/countries/US', reservation = () => `/availablePhoneNumbers/reservations/${randomUUID()}`
const wish = (more) => ({ phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'outbound' }, ...more })

// method, path, the first version that has it, what that version answers, body
const operations = [
  ['POST', `${us}/:search`, '2021-03-07', 202, wish()],
  ['GET', `/availablePhoneNumbers/searchResults/${randomUUID()}`, '2021-03-07', 404],
  ['POST', '/availablePhoneNumbers/:purchase', '2021-03-07', 404, { searchId: randomUUID() }],
  ['GET', `/phoneNumbers/operations/search_${randomUUID()}`, '2021-03-07', 404],
  ['DELETE', `/phoneNumbers/operations/search_${randomUUID()}`, '2021-03-07', 404],
  ['PATCH', '/phoneNumbers/+18335550123/capabilities', '2021-03-07', 404, { calling: 'none', sms: 'none' }],
  ['GET', '/phoneNumbers/+18335550123', '2021-03-07', 404],
  ['DELETE', '/phoneNumbers/+18335550123', '2021-03-07', 404],
  ['GET', '/phoneNumbers', '2021-03-07', 200],
  ['GET', '/availablePhoneNumbers/countries', '2022-12-01', 200],
  ['GET', `${us}/localities`, '2022-12-01', 200],
  ['GET', `${us}/areaCodes?phoneNumberType=tollFree`, '2022-12-01', 200],
  ['GET', `${us}/offerings`, '2022-12-01', 200],
  ['POST', '/operatorInformation/:search', '2024-03-01-preview', 200, { phoneNumbers: ['+12065550100'] }],
  ['POST', `${us}/:browse`, '2025-04-01', 200, { phoneNumberType: 'tollFree' }],
  ['GET', '/availablePhoneNumbers/reservations', '2025-04-01', 200],
  ['PATCH', reservation, '2025-04-01', 201, { phoneNumbers: {} }],
  ['GET', reservation, '2025-04-01', 404],
  ['DELETE', reservation, '2025-04-01', 404],
  ['POST', () => `${reservation()}/:purchase`, '2025-04-01', 404],
]

for (const version of [...versions, '2024-03-01', '2025-02-11', '2025-04-01']) {
  test(`${version} has its operations and no others`, async () => {
    for (const [method, target, since, status, body] of operations) {
      const path = typeof target === 'function' ? target() : target
      const answer = await ask(method, path, version, body)
      if (version >= since || (since === '2024-03-01-preview' && version === '2024-03-01')) {
        assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`)
        continue
      }
      assert.equal(answer.status, 400, `${method} ${path}`)
      assert.equal(answer.body.error.code, 'UnsupportedApiVersion')
      assert.equal(answer.body.error.innererror.code, 'ApiVersionTooOld')
      assert.equal(answer.body.error.target, 'api-version')
      assert.match(answer.headers.get('api-supported-versions'), /2025-06-01/)
    }
  })
}

test('a version that nobody knows gets the newest; none is refused', async () => {
  for (const version of ['2031-01-01', '2020-01-01-strange'])
    assert.equal((await ask('GET', '/availablePhoneNumbers/reservations', version)).status, 200)
  const none = await signed(key, 'GET', '/phoneNumbers')
  assert.equal(none.status, 400)
  assert.equal((await none.json()).error.code, 'ApiVersionUnspecified')
})

test('a search result says of agreements since reservations, and purchase takes one', async () => {
  const common = ['searchId', 'phoneNumbers', 'phoneNumberType', 'assignmentType', 'capabilities', 'cost', 'searchExpiresBy']
  for (const version of [...versions, '2025-04-01']) {
    const started = await ask('POST', `${us}/:search`, version, wish())
    const location = started.headers.get('location')
    assert.match(location, new RegExp(`api-version=${version}$`))
    const found = await (await signed(key, 'GET', location)).json()
    assert.deepEqual(Object.keys(found), version >= '2025-04-01' ? [...common, 'isAgreementToNotResellRequired'] : common, version)
    const bought = await ask('POST', '/availablePhoneNumbers/:purchase', version, { searchId: found.searchId, agreeToNotResell: true, newer: 1 })
    assert.equal(bought.status, 202)
    const owned = (await ask('GET', `/phoneNumbers/${found.phoneNumbers[0]}`, version)).body
    assert.deepEqual(Object.keys(owned), ['id', 'phoneNumber', 'countryCode', 'phoneNumberType', 'capabilities', 'assignmentType', 'purchaseDate', 'cost'])
  }
})

test('mobile numbers exist since 2025-06-01', async () => {
  const gb = '/availablePhoneNumbers/countries/GB'
  for (const version of versions) {
    const search = await ask('POST', `${gb}/:search`, version, wish({ phoneNumberType: 'mobile' }))
    if (version < '2025-06-01') {
      assert.deepEqual([search.status, search.body.error.innererror.code], [400, 'PhoneNumberTypeUnknown'])
    } else {
      assert.notEqual(search.body.error?.innererror.code, 'PhoneNumberTypeUnknown')
    }
    if (version < '2022-12-01') continue
    const { phoneNumberOfferings: offered } = (await ask('GET', `${gb}/offerings`, version)).body
    assert.equal(offered.some((o) => o.phoneNumberType === 'mobile'), version >= '2025-06-01', version)
    assert.ok(offered.some((o) => o.phoneNumberType === 'geographic'))
    assert.equal((await ask('GET', `${gb}/offerings?phoneNumberType=mobile`, version)).status, version >= '2025-06-01' ? 200 : 400)
  }
})

test('localities go by type since 2025-06-01', async () => {
  const count = async (type, version) => (await ask('GET', `${us}/localities?maxPageSize=5&phoneNumberType=${type}`, version)).body.phoneNumberLocalities.length
  assert.equal(await count('geographic', '2025-06-01'), 5)
  assert.equal(await count('tollFree', '2025-06-01'), 0)
  assert.equal(await count('tollFree', '2022-12-01'), 5)         // that version does not know the parameter
})

test('countries are named in the language that is asked for', async () => {
  const named = async (accept) => {
    const { headers, body } = await ask('GET', '/availablePhoneNumbers/countries', '2022-12-01', undefined, accept ? { 'accept-language': accept } : {})
    const name = (code) => body.countries.find((c) => c.countryCode === code).localizedName
    return [headers.get('content-language'), name('SE'), name('GB')]
  }
  assert.deepEqual(await named('en-US'), ['en', 'Sweden', 'United Kingdom'])
  assert.deepEqual(await named('de'), ['de', 'Schweden', 'Vereinigtes Königreich'])
  assert.deepEqual(await named('da, fr;q=0.4, ja;q=0.8'), ['ja', 'スウェーデン', 'イギリス'])
  assert.deepEqual(await named('zh-TW'), ['zh-Hant', '瑞典', '英國'])
  assert.deepEqual(await named('tlh'), ['en', 'Sweden', 'United Kingdom'])
})

test('what is listed is followed page by page', async () => {
  const all = async (path, items, size) => {
    const found = []
    for (let next = `${path}${path.includes('?') ? '&' : '?'}${size}=7&api-version=2025-06-01`; next;) {
      const page = await (await signed(key, 'GET', next)).json()
      assert.ok(page[items].length <= 7)
      found.push(...page[items])
      next = page.nextLink
    }
    return found
  }
  for (const [path, items, size] of [['/availablePhoneNumbers/countries', 'countries', 'maxPageSize'], [`${us}/localities?administrativeDivision=WA`, 'phoneNumberLocalities', 'maxPageSize'],
    [`${us}/areaCodes?phoneNumberType=geographic&administrativeDivision=WA`, 'areaCodes', 'maxPageSize'], [`${us}/offerings`, 'phoneNumberOfferings', 'maxPageSize'], ['/phoneNumbers', 'phoneNumbers', 'top']]) {
    const paged = await all(path, items, size)
    const whole = (await ask('GET', path, '2025-06-01')).body[items]
    assert.ok(whole.length > 1, path)
    assert.deepEqual(paged, whole, path)
    for (const bad of ['skip=-1', 'skip=x', `${size}=0`, `${size}=1001`])
      assert.equal((await ask('GET', `${path}${path.includes('?') ? '&' : '?'}${bad}`, '2025-06-01')).status, 400, `${path} ${bad}`)
  }
})

test('an operation of each kind is read and cancelled', async () => {
  const v = '2025-06-01'
  const of = (answer) => `/phoneNumbers/operations/${answer.headers.get('operation-id')}`
  const search = await ask('POST', `${us}/:search`, v, wish())
  const found = (await ask('GET', `/availablePhoneNumbers/searchResults/${search.headers.get('search-id')}`, v)).body
  const number = found.phoneNumbers[0]
  const purchase = await ask('POST', '/availablePhoneNumbers/:purchase', v, { searchId: found.searchId })
  const change = await ask('PATCH', `/phoneNumbers/${number}/capabilities`, v, { calling: 'none', sms: 'inbound' })
  const release = await ask('DELETE', `/phoneNumbers/${number}`, v)
  const id = randomUUID(), { phoneNumbers: [one] } = (await ask('POST', `${us}/:browse`, v, { phoneNumberType: 'tollFree' })).body
  await ask('PATCH', `/availablePhoneNumbers/reservations/${id}`, v, { phoneNumbers: { [one.id]: one } })
  const reserved = await ask('POST', `/availablePhoneNumbers/reservations/${id}/:purchase`, v)
  const types = []
  for (const started of [search, purchase, change, release, reserved]) {
    assert.equal(started.status, 202, JSON.stringify(started.body))
    const { status, body } = await ask('GET', of(started), v)
    assert.deepEqual([status, body.status, body.id], [200, 'succeeded', started.headers.get('operation-id')])
    types.push(body.operationType)
    assert.equal((await ask('DELETE', of(started), v)).status, 204)
  }
  assert.deepEqual(types, ['search', 'purchase', 'updatePhoneNumberCapabilities', 'releasePhoneNumber', 'reservationPurchase'])
  const held = await ask('POST', `${us}/:search`, v, wish())
  assert.equal((await ask('DELETE', of(held), v)).status, 204)
  assert.equal((await ask('GET', `/availablePhoneNumbers/searchResults/${held.headers.get('search-id')}`, v)).body.error, 'ReservationExpired')
})
