//! Time stamps of real and of test authorities, good and bad. The corpus stands beside the project
//! (`../shared/interop/corpora/tsa-rfc3161`) and is not part of it; where it is absent this test skips, visibly.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;

use assayer_verifier::{Code, TsaCertificate, TsaTrust, verify_time_stamp};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// What a case hands over, and what must come out.
struct Case {
    response: &'static str,
    message: Message,
    trust: Given,
    expected: Expected,
}

type Expected = Result<i64, Code>;

#[derive(Clone, Copy)]
enum Message {
    Text(&'static str),
    File(&'static str),
}

/// Which certificates of a chain file the caller gives.
#[derive(Clone, Copy)]
enum Given {
    /// The last one as root, the others beside it.
    Whole(&'static str),
    /// The last one as root alone.
    RootOnly(&'static str),
    /// The first one, the authority's own, as root.
    Signer(&'static str),
    /// Nothing.
    Nothing,
}

const HELLO: Message = Message::Text("hello");
const TEST: &str = "test_tsa/ts_chain.pem";
const STAGE: &str = "sigstage/ts_chain.pem";
const MOCK: &str = "sigstore.mock/ts_chain.pem";
const IDENTRUST: &str = "identrust/ts_chain.pem";

const fn case(response: &'static str, message: Message, trust: Given, expected: Expected) -> Case {
    Case { response, message, trust, expected }
}

const CASES: [Case; 17] = [
    case("test_tsa/response.tsr", HELLO, Given::Whole(TEST), Ok(1_728_402_032)),
    case("test_tsa/response.tsr", HELLO, Given::Signer(TEST), Ok(1_728_402_032)),
    case("test_tsa/response.tsr", HELLO, Given::Nothing, Err(Code::KeyNotPinned)),
    case("test_tsa/response.tsr", HELLO, Given::Whole(STAGE), Err(Code::TimeStampUntrusted)),
    case(
        "test_tsa/response.tsr",
        Message::Text("hallo"),
        Given::Whole(TEST),
        Err(Code::TimeStampImprintDiffers),
    ),
    case("test_tsa/response-injected-certs.tsr", HELLO, Given::Whole(TEST), Ok(1_728_402_032)),
    // An authority of the same names, but under a root of its own.
    case("test_tsa/other_response.tsr", HELLO, Given::Whole(TEST), Err(Code::TimeStampUntrusted)),
    case("sigstage/response-sha256.tsr", HELLO, Given::Whole(STAGE), Ok(1_746_791_935)),
    case("sigstage/response-sha384.tsr", HELLO, Given::Whole(STAGE), Ok(1_746_791_935)),
    case("sigstage/response-sha512.tsr", HELLO, Given::Whole(STAGE), Ok(1_746_791_936)),
    case(
        "sigstage/response-invalid-signature.tsr",
        HELLO,
        Given::Whole(STAGE),
        Err(Code::TimeStampSignatureMismatch),
    ),
    case("sigstage/response-no-embedded-cert.tsr", HELLO, Given::Whole(STAGE), Ok(1_750_234_382)),
    case(
        "sigstage/response-no-embedded-cert.tsr",
        HELLO,
        Given::RootOnly(STAGE),
        Err(Code::TimeStampCertificateMissing),
    ),
    case("sigstage/request.der", HELLO, Given::Whole(STAGE), Err(Code::TimeStampEncoding)),
    // The certificates have ended since; at the time that the token states they were valid.
    case(
        "sigstore.mock/response-expired.tsr",
        Message::File("sigstore.mock/payload"),
        Given::Whole(MOCK),
        Ok(1_675_209_600),
    ),
    case("identrust/issue-104.tsr", HELLO, Given::Whole(IDENTRUST), Ok(1_741_683_128)),
    case("identrust/issue-104.tsr", HELLO, Given::Whole(TEST), Err(Code::TimeStampUntrusted)),
];

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = folder.join("../../shared/interop/corpora/tsa-rfc3161/test/fixtures");
    let trials = CASES.iter().enumerate().map(|(number, case)| {
        let folder = folder.clone();
        Trial::ignorable_test(format!("{number} {}", case.response), move || {
            if !cfg!(feature = "rfc3161") {
                return Ok(Completion::ignored_with("built without the feature rfc3161"));
            }
            if !folder.is_dir() {
                return Ok(Completion::ignored_with("../shared/interop/corpora/tsa-rfc3161 is not here"));
            }
            run(&folder, case).map(|()| Completion::Completed)
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn run(folder: &Path, case: &Case) -> Result<(), Failed> {
    let message = match case.message {
        Message::Text(text) => text.as_bytes().to_vec(),
        Message::File(name) => fs::read(folder.join(name)).unwrap(),
    };
    // One of the files is DER in spite of its name.
    let chain = |name: &str| {
        let bytes = fs::read(folder.join(name)).unwrap();
        let pem = std::str::from_utf8(&bytes).ok().and_then(TsaCertificate::from_pem);
        pem.unwrap_or_else(|| vec![TsaCertificate::from_der(&bytes)])
    };
    let (roots, others) = match case.trust {
        Given::Whole(name) => {
            let mut all = chain(name);
            (all.pop().into_iter().collect(), all)
        }
        Given::RootOnly(name) => (chain(name).pop().into_iter().collect(), Vec::new()),
        Given::Signer(name) => (chain(name).into_iter().take(1).collect::<Vec<_>>(), Vec::new()),
        Given::Nothing => (Vec::new(), Vec::new()),
    };
    let token = fs::read(folder.join(case.response)).unwrap();
    let found = verify_time_stamp(&token, &message, &TsaTrust { roots: &roots, others: &others });
    let outcome = found.as_ref().map(|stamp| stamp.microseconds / 1_000_000).map_err(|error| error.code);
    if outcome == case.expected {
        Ok(())
    } else {
        Err(format!("expected {:?}, found {found:?}", case.expected).into())
    }
}
