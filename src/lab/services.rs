//! Division of labour under test: the same desk aim in every arm (λ = 1, no points), and beside it nobody,
//! a carry book in an account of its own, one account that knows all, or agents that serve each other.
//!
//! # What each rung isolates
//!
//! | rung | carry | shared cash | netted margin | rides the desk's flow | orders worked |
//! |---|---|---|---|---|---|
//! | `net-all` | | | | | |
//! | `+expression` | spot in place of a long perp only | ✓ | ✓ | ✓ | |
//! | `sum-silo` | in its own account | | | | |
//! | `net-account` | ✓ | ✓ | ✓ | | |
//! | `net-account+B` | ✓ | ✓ | ✓ | | ✓ |
//! | `hive+services` | ✓ by messages | ✓ | ✓ | ✓ | ✓ |
//!
//! A silo has a fixed part of the capital for spot and margin, since what the desk may need is not its to
//! lend: ⅔, fixed before the first run; ½ and ¾ are shown beside it. Makers' own books are in no arm: alone
//! they lose, so leaving them out favours `sum-silo`.

use super::arms::{Arm, ArmKind};
use super::service_controls::Corruption;
use super::service_flags::{CENTRE_PARTS, ServiceFlags};

/// Gross exposure, in equities, that full margin allows: 1/m.
pub const GROSS_MAX: f64 = 4.0;
/// The hive with all services.
pub const SERVED: &str = "hive+services";
/// Each service family in its own account.
pub const SILO: &str = "sum-silo";
/// One account that knows all, taking.
pub const ACCOUNT: &str = "net-account";
/// The same working its orders: the best centre.
pub const CENTRE: &str = "net-account+B";

/// Name of the arm whose desk has no information.
pub const BLIND: &str = "random desk";
/// Name of the arm whose desk has no information, and whose orders are worked.
pub const BLIND_WORKED: &str = "random desk+B";

/// Systems without which there is no report of services.
pub const NEEDED: [&str; 5] = ["hive λ=1 bare", SILO, ACCOUNT, CENTRE, SERVED];

/// The arms of `--services`, in the order in which they are shown.
pub fn plan() -> Vec<Arm> {
    let arm = |name: &str, kind, what| Arm { name: name.to_owned(), kind, what };
    let all = ServiceFlags::ALL;
    let account = ServiceFlags { liquidity: false, ..CENTRE_PARTS };
    let mut arms = vec![
        arm(
            "+expression",
            ArmKind::Served(ServiceFlags { liquidity: false, beyond: false, ..all }),
            "long aims held in spot where that pays, no book beside",
        ),
        arm("sum-silo ½", ArmKind::Silo(0.5), "the carry in an account of half the capital"),
        arm(
            SILO,
            ArmKind::Silo(2.0 / 3.0),
            "net-all, and the carry in an account of its own, of ⅔ of the capital",
        ),
        arm("sum-silo ¾", ArmKind::Silo(0.75), "the carry in an account of ¾ of the capital"),
        arm(
            "shared cash",
            ArmKind::Central(ServiceFlags { netting: false, ..account }),
            "one account, margin of both sides",
        ),
        arm(ACCOUNT, ArmKind::Central(account), "one netted account, same carry rules, taking"),
        arm(CENTRE, ArmKind::Central(CENTRE_PARTS), "the same working its orders: the best centre"),
        arm(
            "hive −flow",
            ArmKind::Served(ServiceFlags { flow: false, ..all }),
            "services, the desk's flow not ridden",
        ),
        arm(
            "hive −margin",
            ArmKind::Served(ServiceFlags { netting: false, ..all }),
            "services, margin not netted",
        ),
        arm(
            "hive −liquidity",
            ArmKind::Served(ServiceFlags { liquidity: false, ..all }),
            "services, orders not worked",
        ),
        arm(
            "hive −carry",
            ArmKind::Served(ServiceFlags { liquidity: true, ..ServiceFlags::NONE }),
            "orders worked, nothing else",
        ),
        arm(
            SERVED,
            ArmKind::Served(all),
            "agents that choose the instrument and work the orders for the desk",
        ),
    ];
    arms.push(arm(
        BLIND,
        ArmKind::Blind(ServiceFlags::NONE),
        "a desk that knows nothing: coins for aims, taking",
    ));
    let parts = ServiceFlags { liquidity: true, ..ServiceFlags::NONE };
    arms.push(arm(BLIND_WORKED, ArmKind::Blind(parts), "the same working its orders"));
    arms.extend(Corruption::ALL.map(|w| arm(w.name(), ArmKind::Misserved(w), w.what())));
    arms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::arms;

    #[test]
    fn no_two_systems_have_a_name_and_those_that_reports_need_are_there() {
        let all: Vec<Arm> = arms::plan(276).into_iter().chain(plan()).collect();
        let mut names: Vec<&str> = all.iter().map(|a| a.name.as_str()).collect();
        for needed in NEEDED {
            assert!(names.contains(&needed), "{needed}");
        }
        let n = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), n);
    }

    #[test]
    fn each_rung_without_a_service_is_without_that_one_alone() {
        let parts = |name: &str| match plan().into_iter().find(|a| a.name == name).map(|a| a.kind) {
            Some(ArmKind::Served(parts) | ArmKind::Central(parts) | ArmKind::Blind(parts)) => parts,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(parts(SERVED), ServiceFlags::ALL);
        assert_eq!(parts("hive −flow"), ServiceFlags { flow: false, ..ServiceFlags::ALL });
        assert_eq!(parts("hive −margin"), ServiceFlags { netting: false, ..ServiceFlags::ALL });
        assert_eq!(parts("hive −liquidity"), ServiceFlags { liquidity: false, ..ServiceFlags::ALL });
        assert_eq!(parts("hive −carry"), parts(BLIND_WORKED), "orders worked and nothing else");
        assert_eq!(parts(CENTRE), ServiceFlags { liquidity: true, ..parts(ACCOUNT) });
        assert_eq!(parts("shared cash"), ServiceFlags { netting: false, ..parts(ACCOUNT) });
        assert_eq!(parts(BLIND), ServiceFlags::NONE);
    }

    #[test]
    fn a_silo_has_less_than_all_of_the_capital() {
        let silos: Vec<f64> = plan()
            .iter()
            .filter_map(|a| if let ArmKind::Silo(capital) = a.kind { Some(capital) } else { None })
            .collect();
        assert_eq!(silos, [0.5, 2.0 / 3.0, 0.75]);
    }

    #[test]
    fn what_is_a_control_or_knows_nothing_is_no_rung() {
        let of = |f: fn(&Arm) -> bool| plan().into_iter().filter(f).map(|a| a.name).collect::<Vec<_>>();
        assert_eq!(of(Arm::is_misserved), Corruption::ALL.map(|w| w.name().to_owned()));
        assert_eq!(of(Arm::is_blind), [BLIND, BLIND_WORKED]);
        assert!(plan().iter().all(|a| a.control().is_none() && !a.is_step()));
    }
}
