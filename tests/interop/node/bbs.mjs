// Reads requests from standard input, one JSON object, and answers each: [{verify: document}, {derive: document, pointers}, {issue: document, pointers}].
// The contexts and the issuer's key pair come with the requests, so that nothing is fetched.
import * as bbs from '@digitalbazaar/bbs-2023-cryptosuite';
import * as Bls12381Multikey from '@digitalbazaar/bls12-381-multikey';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import jsigs from 'jsonld-signatures';

let input = '';
for await (const chunk of process.stdin) {
  input += chunk;
}
const {contexts, keyPair, requests} = JSON.parse(input);
const {controller, id, publicKeyMultibase} = keyPair;
const method = {
  '@context': 'https://w3id.org/security/multikey/v1', type: 'Multikey', id, controller, publicKeyMultibase,
};
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

async function answer({verify, derive, issue, pointers}) {
  if(verify) {
    const suite = new DataIntegrityProof({cryptosuite: bbs.createVerifyCryptosuite()});
    const result = await jsigs.verify(verify, {suite, purpose, documentLoader});
    return {verified: result.verified, error: result.error?.errors?.map(String).join('; ')};
  }
  if(derive) {
    const suite = new DataIntegrityProof({cryptosuite: bbs.createDiscloseCryptosuite({selectivePointers: pointers})});
    return {document: await jsigs.derive(derive, {suite, purpose, documentLoader})};
  }
  const algorithm = Bls12381Multikey.ALGORITHMS.BBS_BLS12381_SHA256;
  const signer = (await Bls12381Multikey.from(keyPair, {algorithm})).signer();
  const suite = new DataIntegrityProof({signer, cryptosuite: bbs.createSignCryptosuite({mandatoryPointers: pointers})});
  return {document: await jsigs.sign(issue, {suite, purpose, documentLoader})};
}

const answers = [];
for(const request of requests) {
  answers.push(await answer(request));
}
process.stdout.write(JSON.stringify(answers));
