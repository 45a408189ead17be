// Reads requests from standard input, one JSON object, and answers each: {verify: document} or {issue: document},
// both with `suite` and the issuer's `keyPair`. The contexts come with the requests, so that nothing is fetched.
import * as ecdsaJcs from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import * as eddsaJcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {cryptosuite as ecdsaRdfc} from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import {cryptosuite as eddsaRdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {Ed25519Signature2020} from '@digitalbazaar/ed25519-signature-2020';
import {Ed25519VerificationKey2020} from '@digitalbazaar/ed25519-verification-key-2020';
import jsigs from 'jsonld-signatures';

let input = '';
for await (const chunk of process.stdin) {
  input += chunk;
}
const {contexts, requests} = JSON.parse(input);
const purpose = new jsigs.purposes.AssertionProofPurpose();
const CRYPTOSUITES = {
  'ecdsa-jcs-2019': {sign: () => ecdsaJcs.createSignCryptosuite(), verify: () => ecdsaJcs.createVerifyCryptosuite()},
  'ecdsa-rdfc-2019': {sign: () => ecdsaRdfc, verify: () => ecdsaRdfc},
  'eddsa-jcs-2022': {sign: () => eddsaJcs.createSignCryptosuite(), verify: () => eddsaJcs.createVerifyCryptosuite()},
  'eddsa-rdfc-2022': {sign: () => eddsaRdfc, verify: () => eddsaRdfc},
};
const OLDER = 'Ed25519Signature2020';

function loaderOf({id, controller, publicKeyMultibase}, suite) {
  const older = suite === OLDER;
  const context = older ? 'https://w3id.org/security/suites/ed25519-2020/v1' : 'https://w3id.org/security/multikey/v1';
  const method = {'@context': context, type: older ? 'Ed25519VerificationKey2020' : 'Multikey', id, controller, publicKeyMultibase};
  const known = {
    ...contexts,
    [id]: method,
    [controller]: {'@context': ['https://www.w3.org/ns/did/v1', context], id: controller, verificationMethod: [method], assertionMethod: [id]},
  };
  return async url => {
    if(!(url in known)) {
      throw new Error(`not known: ${url}`);
    }
    return {contextUrl: null, documentUrl: url, document: structuredClone(known[url])};
  };
}

async function signing({suite, keyPair}) {
  if(suite === OLDER) {
    const {id, controller, publicKeyMultibase, secretKeyMultibase: privateKeyMultibase} = keyPair;
    const key = await Ed25519VerificationKey2020.from({type: 'Ed25519VerificationKey2020', id, controller, publicKeyMultibase, privateKeyMultibase});
    return new Ed25519Signature2020({key});
  }
  const multikey = suite.startsWith('ecdsa') ? EcdsaMultikey : Ed25519Multikey;
  return new DataIntegrityProof({signer: (await multikey.from(keyPair)).signer(), cryptosuite: CRYPTOSUITES[suite].sign()});
}

async function answer(request) {
  const {suite, keyPair, verify, issue} = request;
  const documentLoader = loaderOf(keyPair, suite);
  if(verify) {
    const checking = suite === OLDER ? new Ed25519Signature2020() : new DataIntegrityProof({cryptosuite: CRYPTOSUITES[suite].verify()});
    const result = await jsigs.verify(verify, {suite: checking, purpose, documentLoader});
    return {verified: result.verified, error: result.error?.errors?.map(String).join('; ')};
  }
  return {document: await jsigs.sign(issue, {suite: await signing(request), purpose, documentLoader})};
}

const answers = [];
for(const request of requests) {
  answers.push(await answer(request));
}
process.stdout.write(JSON.stringify(answers));
