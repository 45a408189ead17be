// Reads one JSON object from standard input and answers each of its requests: {verify: document}, {derive: document, pointers} or
// {issue: document, pointers}. The contexts and the issuer's key pair come with them, so that nothing is fetched.
import * as bbs from '@digitalbazaar/bbs-2023-cryptosuite';
import * as Bls12381Multikey from '@digitalbazaar/bls12-381-multikey';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as ecdsaSd from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import jsigs from 'jsonld-signatures';

const suites = {
  'bbs-2023': {
    functions: bbs,
    keyPair: pair => Bls12381Multikey.from(pair, {algorithm: Bls12381Multikey.ALGORITHMS.BBS_BLS12381_SHA256}),
  },
  'ecdsa-sd-2023': {functions: ecdsaSd, keyPair: pair => EcdsaMultikey.from(pair)},
};

let input = '';
for await (const chunk of process.stdin) {
  input += chunk;
}
const {suite, contexts, keyPair, requests} = JSON.parse(input);
const {functions, keyPair: load} = suites[suite];
const {controller, id, publicKeyMultibase} = keyPair;
const method = {'@context': 'https://w3id.org/security/multikey/v1', type: 'Multikey', id, controller, publicKeyMultibase};
const known = {
  ...contexts,
  [id]: method,
  [controller]: {'@context': 'https://www.w3.org/ns/did/v1', id: controller, verificationMethod: [method], assertionMethod: [id]},
};
const documentLoader = async url => {
  if(!(url in known)) {
    throw new Error(`not known: ${url}`);
  }
  return {contextUrl: null, documentUrl: url, document: structuredClone(known[url])};
};
const purpose = new jsigs.purposes.AssertionProofPurpose();
const options = (cryptosuite, signer) => ({suite: new DataIntegrityProof({signer, cryptosuite}), purpose, documentLoader});

async function answer({verify, derive, issue, pointers}) {
  if(verify) {
    const result = await jsigs.verify(verify, options(functions.createVerifyCryptosuite()));
    return {verified: result.verified, error: result.error?.errors?.map(String).join('; ')};
  }
  if(derive) {
    return {document: await jsigs.derive(derive, options(functions.createDiscloseCryptosuite({selectivePointers: pointers})))};
  }
  const signer = (await load(keyPair)).signer();
  return {document: await jsigs.sign(issue, options(functions.createSignCryptosuite({mandatoryPointers: pointers}), signer))};
}

const answers = [];
for(const request of requests) {
  answers.push(await answer(request));
}
process.stdout.write(JSON.stringify(answers));
