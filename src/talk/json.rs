//! A message field by field, every part of every condition typed and nothing cut.
//!
//! Numbers that JSON has not are text: `"inf"`, `"-inf"`, `"nan"`. What is not there is `null`, never left out.

use crate::domain::condition::Target;
use crate::domain::message::{Factor, Knob, StanceVerb};
use crate::domain::{
    Action, Comparison, Condition, HedgeKind, Indicator, InstrumentId, Message, MessageKind, OfferTerms,
    Plan, ReEntry, Speaker, SpokenBy, Stance, Swayed, Term, TopicKind,
};
use crate::recorder::{self, TalkNames};
use serde_json::{Map, Value, json};

/// A message as an object.
pub fn message_fields(names: &dyn TalkNames, message: &Message) -> Map<String, Value> {
    let (from, body) = (message.from, &message.body);
    let mut all = Map::new();
    let mut put = |key: &str, value: Value| all.insert(key.to_owned(), value);
    put("id", json!(message.id.0));
    put("at", json!(message.at.to_string()));
    put("at_ns", json!(message.at.0));
    put("from", json!(recorder::speaker(names, from)));
    put("agent", if let Speaker::Agent(id) = from { json!(id.0) } else { Value::Null });
    put("asset", message.asset.map_or(Value::Null, |a| json!(asset_name(names, a))));
    put("life", json!(life_name(message.life)));
    put("kind", json!(TopicKind::of(body).text()));
    put("swayed", message.swayed.iter().map(|s| sway(names, from, s)).collect());
    let (key, value) = body_json(names, body);
    put(key, value);
    put("text", json!(recorder::line(names, message)));
    all
}

/// The word for which life speaks.
pub fn life_name(life: SpokenBy) -> &'static str {
    match life {
        SpokenBy::Both => "both",
        SpokenBy::Alone => "alone",
        SpokenBy::Open => "open",
    }
}

fn asset_name(names: &dyn TalkNames, id: crate::domain::AssetId) -> String {
    names.asset_called(id).map_or_else(|| format!("asset {}", id.0), str::to_owned)
}

fn sway(names: &dyn TalkNames, from: Speaker, s: &Swayed) -> Value {
    let rule = if let Speaker::Agent(id) = from { names.reaction_name(id, s.reaction) } else { None };
    let causes = s.causes.iter().map(|c| json!({"message": c.message.0, "part": number(c.part)}));
    json!({"reaction": rule, "number": s.reaction, "causes": causes.collect::<Vec<_>>()})
}

/// A number, also one that JSON has not.
fn number(x: f64) -> Value {
    match x {
        x if x.is_finite() => json!(x),
        x if x.is_nan() => json!("nan"),
        x => json!(if x > 0.0 { "inf" } else { "-inf" }),
    }
}

/// What is said, under the name of its type.
fn body_json(names: &dyn TalkNames, body: &MessageKind) -> (&'static str, Value) {
    match body {
        MessageKind::Action(a) => ("action", action(names, a)),
        MessageKind::Outcome(o) => {
            let said = json!({
                "intent": o.intent.number, "reason": o.reason.to_string(), "r": number(o.r), "pnl": number(o.pnl),
                "held": o.held, "held_in": if o.minutes { "minutes" } else { "bars" }, "points": number(o.points),
            });
            ("outcome", said)
        }
        MessageKind::Stance(s) => ("stance", stance(s)),
        MessageKind::Goal(g) => {
            let said = json!({
                "goal": g.goal.to_string(), "score": number(g.score), "value": number(g.value),
                "target": number(g.target),
            });
            ("goal", said)
        }
        MessageKind::Adjustment(a) => {
            let whose = a.agent.map(|id| recorder::speaker(names, Speaker::Agent(id)));
            let said = json!({
                "knob": knob(a.knob), "agent": whose, "from": number(a.from), "to": number(a.to),
                "because": number(a.because),
            });
            ("adjustment", said)
        }
        MessageKind::Emergence(e) => {
            let said = json!({
                "sharpe": number(e.sharpe), "low": number(e.low), "high": number(e.high), "days": e.days,
                "more": number(e.more), "less": number(e.less), "over_net_eq": number(e.over_net_eq),
                "netting": number(e.netting), "listening": number(e.listening), "services": number(e.services),
            });
            ("emergence", said)
        }
        MessageKind::Carry(c) => {
            let said = json!({
                "value": number(c.value), "days": number(c.days), "hurdle": number(c.hurdle), "most": number(c.most),
            });
            ("carry", said)
        }
        MessageKind::Receipt(r) => {
            let service = r.service.text();
            ("receipt", json!({"service": service, "saved": number(r.saved), "notional": number(r.notional)}))
        }
        MessageKind::Work(w) => {
            let said = json!({
                "distance_sigma": number(w.distance), "rests": w.rests, "fee_bps": number(w.fee_bps),
            });
            ("work", said)
        }
        MessageKind::Rest(r) => {
            let said = json!({
                "side": if r.after > 0.0 { "long" } else { "short" },
                "intent": r.intent.number, "after": number(r.after), "limit": number(r.limit), "within": r.within,
                "plan": plan(names, &r.plan),
            });
            ("rest", said)
        }
        MessageKind::Wait(w) => {
            let said = json!({
                "until": w.until.to_string(), "until_ns": w.until.0, "without": number(w.without),
            });
            ("wait", said)
        }
    }
}

fn action(names: &dyn TalkNames, a: &Action) -> Value {
    json!({
        "side": if a.side() > 0.0 { "long" } else { "short" },
        "intent": a.intent.number,
        "reason": a.reason.to_string(),
        "before": number(a.before),
        "after": number(a.after),
        "delta": number(a.delta),
        "price": number(a.price),
        "plan": plan(names, &a.plan),
    })
}

fn instrument(names: &dyn TalkNames, id: InstrumentId) -> Value {
    json!({"number": id.0, "name": recorder::instrument(names, id)})
}

fn plan(names: &dyn TalkNames, p: &Plan) -> Value {
    let Plan { legs, maker, stop, trail, exit, expire, targets, add, hedge, reenter } = p;
    let leg = |l: &crate::domain::StructureLeg| json!({"instrument": instrument(names, l.instrument), "ratio": number(l.ratio)});
    let text = |part: &str| {
        p.sentences(&|id| recorder::instrument(names, id)).find(|(n, _)| *n == part).map(|(_, s)| s)
    };
    let hedge = hedge.map(|h| {
        let (how, fraction, held) = match h.how {
            HedgeKind::Reduce(x) => ("reduce", number(x), Value::Null),
            HedgeKind::Opposite { instrument: id, ratio } => {
                let held = json!({"instrument": instrument(names, id), "ratio": number(ratio)});
                ("opposite", Value::Null, held)
            }
        };
        json!({"when": condition(&h.when), "how": how, "fraction": fraction, "held": held, "text": text("hedge")})
    });
    json!({
        "legs": legs.iter().map(leg).collect::<Vec<_>>(),
        "maker": maker.as_ref().map(|m| {
            json!({"instrument": instrument(names, m.instrument), "within_ns": m.within.0})
        }),
        "stop": condition(stop),
        "trail": trail.as_ref().map(condition),
        "exit": condition(exit),
        "expire": condition(expire),
        "targets": targets.iter().map(target).collect::<Vec<_>>(),
        "add": add.map(|(when, fraction)| {
            json!({"when": condition(&when), "fraction": number(fraction), "text": text("add")})
        }),
        "hedge": hedge,
        "reenter": reenter.as_ref().map(reentry),
    })
}

fn target(t: &Target) -> Value {
    json!({"when": condition(&t.when), "fraction": number(t.fraction), "text": t.to_string()})
}

fn reentry(r: &ReEntry) -> Value {
    let terms = |t: &OfferTerms| {
        let targets: Vec<Value> = t.targets.iter().map(target).collect();
        json!({"size": number(t.size), "stop": condition(&t.stop), "targets": targets})
    };
    json!({
        "side": if r.side > 0.0 { "long" } else { "short" },
        "when": condition(&r.when),
        "unless": condition(&r.unless),
        "not_before": r.not_before,
        "within": r.within,
        "counted_in": if r.minutes { "minutes" } else { "bars" },
        "terms": r.terms.as_ref().map(terms),
        "text": r.to_string(),
    })
}

/// Both sides, and the sentence that says it.
fn condition(c: &Condition) -> Value {
    let op = match c.op {
        Comparison::Below => "below",
        Comparison::Above => "above",
    };
    json!({"left": term(&c.left), "op": op, "right": term(&c.right), "text": c.to_string()})
}

fn term(t: &Term) -> Value {
    match t {
        Term::Close => json!({"term": "close"}),
        Term::Level(x) => json!({"term": "level", "value": number(*x)}),
        Term::Trail(back) => json!({"term": "best_close_less", "fraction": number(*back)}),
        Term::Held => json!({"term": "bars_held"}),
        Term::Of(i) => indicator("indicator", *i, None),
        Term::Times(factor, i) => indicator("times_indicator", *i, Some(*factor)),
        Term::Minutes => json!({"term": "minutes_held"}),
        Term::Back(bp) => json!({"term": "best_gain_less", "bp": number(*bp)}),
        Term::Entry(away) => json!({"term": "entry_plus", "fraction": number(*away)}),
    }
}

fn indicator(term: &str, i: Indicator, factor: Option<f64>) -> Value {
    // By its own name, which has the window in brackets behind it where there is one.
    let name = format!("{i:?}");
    let name = name.split('(').next().unwrap_or_default();
    let window = i.unwindowed_index().is_none().then(|| i.window());
    json!({"term": term, "indicator": name, "window": window, "factor": factor.map(number)})
}

fn knob(knob: Knob) -> &'static str {
    match knob {
        Knob::RiskScale => "risk_scale",
        Knob::GrossCap => "gross_cap",
        Knob::Width => "width",
        Knob::Voice => "voice",
        Knob::Unit => "unit",
        Knob::Limit => "limit",
        Knob::Size => "size",
    }
}

fn stance(s: &Stance) -> Value {
    let verb = match s.verb {
        StanceVerb::Keeps => "keeps",
        StanceVerb::Opens => "opens",
        StanceVerb::Increases => "increases",
        StanceVerb::Decreases => "decreases",
        StanceVerb::StandsAside => "stands_aside",
        StanceVerb::Hedges => "hedges",
    };
    let factor = |f: &Factor| {
        let (name, value) = match *f {
            Factor::Own(x) => ("own", number(x)),
            Factor::Listens(x) => ("listens", number(x)),
            Factor::Consensus(x) => ("consensus", number(x)),
            Factor::Common(x) => ("common", number(x)),
            Factor::SideClip(x) => ("side_clip", number(x)),
            Factor::NoFlip => ("no_flip", Value::Null),
            Factor::FollowLimit(x) => ("follow_limit", number(x)),
        };
        json!({"factor": name, "value": value})
    };
    json!({
        "verb": verb, "own": number(s.own), "result": number(s.result),
        "factors": s.factors.iter().flatten().map(factor).collect::<Vec<_>>(),
        "because": s.because.iter().flatten().map(|id| id.0).collect::<Vec<_>>(),
    })
}
