//! How each scheme writes a number, from the number's text.

use crate::canon::Scheme;
use crate::code::Code;

/// Writes the number whose JSON text is `text`; `integer` says that it has neither fraction nor exponent.
pub(crate) fn write(out: &mut Vec<u8>, text: &str, integer: bool, scheme: Scheme) -> Result<(), Code> {
    match scheme {
        Scheme::JcsExactIntegers if integer => exact_integer(out, text),
        Scheme::JcsExactIntegers => return Err(Code::CanonFloat),
        Scheme::PythonSortKeys | Scheme::PythonSortKeysUtf8 if integer => exact_integer(out, text),
        Scheme::PythonSortKeys | Scheme::PythonSortKeysUtf8 => python_repr(out, double(text)),
        Scheme::SerdeJcs01 if integer && fits_64_bits(text) => exact_integer(out, text),
        Scheme::Jcs if integer && is_exact_in_double(text) => exact_integer(out, text),
        Scheme::SerdeJcs01 | Scheme::Jcs => ecmascript(out, double(text))?,
    }
    Ok(())
}

/// JSON integers have one spelling each, but for the negative zero.
fn exact_integer(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(if text == "-0" { b"0" } else { text.as_bytes() });
}

fn fits_64_bits(text: &str) -> bool {
    text.parse::<u64>().is_ok() || text.parse::<i64>().is_ok()
}

/// Fifteen digits always survive a double unchanged.
fn is_exact_in_double(text: &str) -> bool {
    text.len() <= 15
}

fn double(text: &str) -> f64 {
    // The reader has checked the text; Rust rounds correctly and overflows to infinity.
    text.parse().unwrap_or(f64::NAN)
}

/// The shortest decimal digits that give the double back, and the place of the decimal point before which they stand:
/// the value is `0.DIGITS * 10^point`.
fn shortest(value: f64) -> (String, i32) {
    let scientific = scientific(value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    (digits, exponent.parse::<i32>().unwrap_or(0) + 1)
}

/// Where two texts of the shortest length are equally near, ECMA-262 (note 2, which RFC 8785 section 3.2.2.3 makes
/// binding) and Python take the even digit, and Rust's shortest form the larger one. Rust's rounding to a given number
/// of digits is to even.
fn scientific(value: f64) -> String {
    let shortest = format!("{value:e}");
    let digits = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    let nearest = format!("{value:.*e}", digits.saturating_sub(1));
    // Beside a power of two the nearest text of this length can be that of the neighbour.
    if nearest.parse() == Ok(value) { nearest } else { shortest }
}

/// ECMA-262 `Number::toString`, as RFC 8785 section 3.2.2.3 demands.
fn ecmascript(out: &mut Vec<u8>, value: f64) -> Result<(), Code> {
    if !value.is_finite() {
        return Err(Code::CanonNumberRange);
    }
    if value == 0.0 {
        out.push(b'0');
        return Ok(());
    }
    let (digits, point) = shortest(value);
    if value < 0.0 {
        out.push(b'-');
    }
    if (-5..=21).contains(&point) {
        positional(out, &digits, point, false);
    } else {
        exponential(out, &digits, point - 1, 1);
    }
    Ok(())
}

/// `repr` of a Python float: exponents below -4 and from 16 on, of at least two digits; always a sign of being a float.
fn python_repr(out: &mut Vec<u8>, value: f64) {
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if value.is_infinite() {
        out.extend_from_slice(b"Infinity");
        return;
    }
    let (digits, point) = shortest(value);
    if (-3..=16).contains(&point) {
        positional(out, &digits, point, true);
    } else {
        exponential(out, &digits, point - 1, 2);
    }
}

fn positional(out: &mut Vec<u8>, digits: &str, point: i32, always_fraction: bool) {
    let places = usize::try_from(point).unwrap_or(0);
    if point <= 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', usize::try_from(-point).unwrap_or(0)));
        out.extend_from_slice(digits.as_bytes());
    } else if digits.len() <= places {
        out.extend_from_slice(digits.as_bytes());
        out.extend(std::iter::repeat_n(b'0', places - digits.len()));
        if always_fraction {
            out.extend_from_slice(b".0");
        }
    } else {
        let (whole, fraction) = digits.split_at(places);
        out.extend_from_slice(whole.as_bytes());
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
}

fn exponential(out: &mut Vec<u8>, digits: &str, exponent: i32, least_digits: usize) {
    let (first, rest) = digits.split_at(1);
    out.extend_from_slice(first.as_bytes());
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest.as_bytes());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    out.extend_from_slice(format!("e{sign}{:0least_digits$}", exponent.abs()).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, scheme: Scheme) -> Result<String, Code> {
        let mut out = Vec::new();
        let integer = !text.contains(['.', 'e', 'E']);
        write(&mut out, text, integer, scheme).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn ecmascript_notation_changes_at_21_digits_and_at_six_zeros() {
        for (text, expected) in [
            ("1.0", "1"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("0.000001", "0.000001"),
            ("1E-7", "1e-7"),
            ("-0.0", "0"),
            ("-0", "0"),
            ("9007199254740993", "9007199254740992"),
            ("123456789012345680000", "123456789012345680000"),
            ("5e-324", "5e-324"),
            ("-1.5e300", "-1.5e+300"),
        ] {
            assert_eq!(written(text, Scheme::Jcs).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(written("1e400", Scheme::Jcs), Err(Code::CanonNumberRange));
    }

    /// Exactly halfway between two texts that both lead back to it.
    #[test]
    fn of_two_equally_near_texts_the_even_one_is_written() {
        for (text, expected) in [
            ("1424953923781206.25", "1424953923781206.2"),
            ("-1424953923781206.25", "-1424953923781206.2"),
            ("1424953923781206.75", "1424953923781206.8"),
            ("9007199254740992.0", "9007199254740992"),
            ("9.5367431640625e-7", "9.5367431640625e-7"),
            ("2.2250738585072014e-308", "2.2250738585072014e-308"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ] {
            for scheme in [Scheme::Jcs, Scheme::SerdeJcs01] {
                assert_eq!(written(text, scheme).as_deref(), Ok(expected), "{text}");
            }
        }
        assert_eq!(
            written("1424953923781206.25", Scheme::PythonSortKeys).as_deref(),
            Ok("1424953923781206.2")
        );
    }

    #[test]
    fn python_writes_floats_as_repr() {
        for (text, expected) in [
            ("1.0", "1.0"),
            ("1e2", "100.0"),
            ("1e-7", "1e-07"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1e16", "1e+16"),
            ("123456789012345.6", "123456789012345.6"),
            ("1e15", "1000000000000000.0"),
            ("-0.0", "-0.0"),
            ("1e400", "Infinity"),
            ("-0", "0"),
            ("1e100", "1e+100"),
        ] {
            assert_eq!(written(text, Scheme::PythonSortKeys).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn integers_are_exact_where_the_scheme_says_so() {
        let big = "18446744073709551616";
        assert_eq!(written(big, Scheme::JcsExactIntegers).as_deref(), Ok(big));
        assert_eq!(written(big, Scheme::SerdeJcs01).as_deref(), Ok("18446744073709552000"));
        assert_eq!(
            written("-9223372036854775808", Scheme::SerdeJcs01).as_deref(),
            Ok("-9223372036854775808")
        );
        assert_eq!(written("1.5", Scheme::JcsExactIntegers), Err(Code::CanonFloat));
    }
}
