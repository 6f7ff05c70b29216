//! Which services an account or a hive has, each switched by itself.

use crate::treasury::settings::ServiceSettings;

/// Which parts of the mechanism an arm has.
// Each is switched by itself.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceFlags {
    /// Carry at all.
    pub carry: bool,
    /// Orders are worked.
    pub liquidity: bool,
    /// The desk's flow is ridden.
    pub flow: bool,
    /// Margin is netted.
    pub netting: bool,
    /// More spot than the desk holds long.
    pub beyond: bool,
}

impl ServiceFlags {
    /// All of them.
    pub const ALL: ServiceFlags =
        ServiceFlags { carry: true, liquidity: true, flow: true, netting: true, beyond: true };
    /// The services all switched off.
    pub const NONE: ServiceFlags =
        ServiceFlags { carry: false, liquidity: false, flow: false, netting: false, beyond: false };

    /// The configured settings with these services on and the others off.
    pub fn settings(self, base: &ServiceSettings) -> ServiceSettings {
        ServiceSettings {
            carry: self.carry,
            liquidity: self.liquidity,
            flow: self.flow,
            netting: self.netting,
            beyond: self.beyond,
            ..*base
        }
    }
}

/// What the best centre does: all, but it does not ride its own flow.
pub const CENTRE_PARTS: ServiceFlags = ServiceFlags { flow: false, ..ServiceFlags::ALL };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_switch_what_they_say_and_leave_the_numbers() {
        let base = ServiceSettings { through: 0.5, capital: 0.25, ..ServiceSettings::default() };
        assert_eq!(ServiceFlags::ALL.settings(&base), base, "all is what ships");
        let none = ServiceFlags::NONE.settings(&base);
        assert!(!(none.carry || none.liquidity || none.flow || none.netting || none.beyond));
        assert_eq!((none.through, none.capital), (0.5, 0.25));
        let centre = CENTRE_PARTS.settings(&base);
        assert_eq!(centre, ServiceSettings { flow: false, ..base });
    }
}
