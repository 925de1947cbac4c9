//! The other side of the adapter protocol: an engine of this process, spoken to over standard input and output.

use std::io::{BufRead, Write};

use crate::adapter::{Canonicalized, Request, Started};
use crate::engine::{Engine, Outcome};

/// Answers requests until `stop` or the end of the input.
///
/// # Errors
/// What reading or writing gives; a line that is no request, as [`std::io::ErrorKind::InvalidData`].
pub fn serve(engine: &mut dyn Engine, input: impl BufRead, mut output: impl Write) -> std::io::Result<()> {
    for line in input.lines() {
        let request = serde_json::from_str(&line?).map_err(std::io::Error::other)?;
        match request {
            Request::Start {} => {
                let identity = engine.identity();
                let (name, version, scheme) =
                    (identity.name.clone(), identity.version.clone(), identity.scheme.clone());
                serde_json::to_writer(&mut output, &Started { name, version, scheme, error: None })?;
            }
            Request::Canonicalize { input } => {
                let answered = match hex::decode(&input) {
                    Ok(text) => answer(engine, text),
                    Err(error) => Canonicalized::Error(format!("the input is not hexadecimal: {error}")),
                };
                serde_json::to_writer(&mut output, &answered)?;
            }
            Request::Stop {} => return Ok(()),
        }
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}

fn answer(engine: &mut dyn Engine, text: Vec<u8>) -> Canonicalized {
    match engine.canonicalize(&[text]).pop() {
        Some(answer) => match answer.outcome {
            Outcome::Bytes(bytes) => Canonicalized::Ok(hex::encode(bytes)),
            Outcome::Reject => Canonicalized::Reject(answer.why),
            Outcome::Error => Canonicalized::Error(answer.why),
        },
        None => Canonicalized::Error("no answer".to_owned()),
    }
}
