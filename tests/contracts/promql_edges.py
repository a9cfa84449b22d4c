"""PromQL at the edges: NaN, infinities, matching, holes in subqueries, forms of the text. One expression a line."""

ALIKE = r"""
stdvar(vector(0)/0)
stddev(vector(1)/0)
stdvar(vector(0)/0 or level)
avg(vector(0)/0)
avg(vector(1)/0 or level)
sum(vector(1)/0 or -vector(1)/0)
min(vector(0)/0 or level)
max(vector(0)/0)
topk(0, level)
topk(-1, level)
topk(1.9, level)
topk(scalar(nothing), level)
topk(1e30, level)
bottomk(1, vector(0)/0 or level{pod="x"})
topk(9, vector(0)/0 or level)
bottomk(9, vector(0)/0 or level)
quantile(NaN, level)
quantile_over_time(NaN, level[1m])
quantile_over_time(time()/1e10, level[1m])
quantile(0.5, vector(1)/0 or level)
(1)[1m:10s]
sum_over_time((level > 0)[1m:10s])
rate((level>0)[2m:5s])
increase((reset_total>60)[2m:5s])
resets((reset_total > 60)[3m:5s])
irate((reset_total > 60)[3m:5s])
sum_over_time((level/0)[1m:5s])
min_over_time((level*0/0)[1m:5s])
max_over_time((0/(level > 0))[1m:5s])
stddev_over_time((level/0)[1m:5s])
changes((level*0/0)[1m:5s])
count_over_time((level*0/0)[1m:5s])
last_over_time((level > 1)[1m:5s])
deriv((level > 1)[1m:5s])
absent_over_time((level > 1000)[1m:10s])
present_over_time((level > 1)[20s:5s])
-1 ^ 0.5
level offset 1m30s
level offset -1h
level offset 5m
rate(level[0s])
level[1m]
level[1m] offset 1m
'text'
"a\x41"
"a\u00e9\n"
`x\n`
1
time()
-level
+level
--level
-+-level
1e3
0x1F
1e1000
Inf
-Inf
+Inf
NaN
level == level
level == bool level
level != bool level
level > bool 0
1 == bool 1
NaN == bool NaN
level unless on() limit
level or on() limit
level and on() limit
level * on(service) limit
limit * on(service) group_right level
limit * on(service) group_right(code) level
level * on(service) group_left(nothing) limit
level * on(service) group_left(__name__) limit
level * ignoring(pod) group_left limit
level * ignoring(pod) limit
level > ignoring(pod) group_left limit
level > on(service) group_left limit
limit > on(service) group_right level
limit < bool on(service) group_right level
level == on(service) limit
level > on(service) limit
level > on(service, pod) level
level > bool on(service, pod) level
level > ignoring(service) level
seconds_bucket / ignoring(le) group_left seconds_bucket{le="+Inf"}
seconds_bucket / ignoring(le) seconds_bucket{le="+Inf"}
steady_total / on(service) group_left(pod) limit
sum by () (level)
sum without () (level)
sum(level) by (service)
sum(level) without (service)
sum by (service,) (level)
sum by (__name__) (level)
count by (__name__) ({service="a"})
sum without (__name__) (level)
histogram_quantile(0.5, level)
histogram_quantile(0.5, seconds_bucket{le!="+Inf"})
histogram_quantile(NaN, seconds_bucket)
histogram_quantile(0.5, seconds_bucket{le="+Inf"})
histogram_quantile(0.5, -seconds_bucket)
histogram_quantile(0.5, seconds_bucket * 0)
histogram_quantile(0.5, seconds_bucket / 0)
histogram_quantile(0.01, seconds_bucket)
histogram_quantile(1, seconds_bucket)
histogram_quantile(0, seconds_bucket)
histogram_quantile(0.9, sum by (le, service) (rate(seconds_bucket[1m])))
histogram_quantile(0.9, label_replace(seconds_bucket, "le", "-1", "le", "0.1"))
histogram_quantile(0.1, label_replace(seconds_bucket, "le", "-1", "le", "0.1"))
histogram_quantile(0.1, label_replace(seconds_bucket, "le", "-1", "le", "0.1|0.5"))
histogram_quantile(0.5, label_replace(seconds_bucket, "le", "nope", "le", "0.1"))
histogram_quantile(time()/1e10, seconds_bucket)
label_replace(level, "service", "", "pod", ".*")
label_replace(level, "__name__", "x", "", "")
label_replace(level, "__name__", "x", "pod", "x")
label_replace(level, "1bad", "x", "", "")
label_replace(level, "a", "$1", "pod", "(")
label_replace(level, "a", "$9", "pod", "(.*)")
label_replace(level, "a", "${1}z", "pod", "(.*)")
label_replace(level, "a", "$1z", "pod", "(.*)")
label_replace(level, "a", "$$1", "pod", "(.*)")
label_replace(level, "a", "$0-$1", "pod", "(.*)")
label_replace(level, "a", "x$", "pod", "(.*)")
label_replace(level, "a", "${n}", "pod", "(?P<n>.*)")
label_replace(level, "a", "\\1", "pod", "(.*)")
label_replace(level, "pod", "same", "pod", ".*")
label_replace(level, "pod", "new", "pod", "y")
label_replace(level, "a", "b", "pod", "x|zz")
round(level, 0.3)
round(level, 0)
round(level, -0.5)
round(-level, 1)
round(level/3)
round(level, time()/1e9)
sgn(level)
sgn(vector(0)/0)
exp(level*1000)
ln(-level)
ln(level*0)
level % 0
level % -3
level % 1.5
(-level) % 4
level / 0
0 * level / 0
0/0
1/0
-1/0
level ^ 0.5
level ^ -1
0 ^ 0
2 ^ 3 ^ 2
-2 ^ 2
1 - 2 - 3
2 * 3 % 4
1 + 2 == bool 3
1 < bool 2 < bool 3
vector(time())
vector(1)
scalar(level)
scalar(limit{service="a"})
scalar(nothing)
absent(level{service="zz"})
absent(level{service="zz",service="yy"})
absent(level{service="zz",service="zz"})
absent(level{service=~"zz",pod="x"})
absent(level{service="zz",pod!="x"})
absent(level{service="zz",service!="x"})
absent(sum(nothing))
absent(sum(level))
absent(nothing > 1)
absent(-nothing{a="b"})
absent((nothing{a="b"}))
absent(nothing{a="b"} offset 1m)
absent(nothing{a!="x",b="y"})
absent_over_time(nothing[1m])
absent_over_time(nothing{a="b"}[1m])
absent_over_time(nothing{a="b"}[1m] offset 1m)
absent_over_time(level[1m])
timestamp(level)
timestamp(level offset 1m)
timestamp(-level)
timestamp((level))
timestamp(timestamp(level))
timestamp(sum(level))
timestamp(vector(1))
sort(level)
sort_desc(level)
sort(vector(0)/0 or level)
sort_desc(vector(0)/0 or level)
sort_desc(sum by (service) (level))
{__name__="level"}
{__name__=~"level|limit"}
-{__name__=~"level|limit"}
sum({__name__=~"level|limit"})
abs({__name__=~"level|limit"})
{service="a"}
rate({service="a"}[1m])
max_over_time({__name__=~"level|limit"}[1m])
last_over_time({__name__=~"level|limit"}[1m])
level{service=~"a|b"}
level{service=~"^a$"}
level{service=~""}
level{service!~""}
level{service!=""}
level{code!="200"}
level{code=~"|5.."}
level{service=~"(?i:A)"}
level{service=~"[^a]"}
{service=~".*"}
{service=~".+"}
level{}
{}
{service=""}
level{service="a",}
level{,}
level{__name__="limit"}
sum(level,)
abs(level,)
clamp(level, 1)
clamp(level, NaN, 2)
clamp(level, 1, NaN)
clamp(level, -Inf, Inf)
clamp(level, 3, 1)
clamp_min(level, NaN)
clamp_max(level, NaN)
clamp_min(level, scalar(limit{service="b"}))
last_over_time(level[1m])
changes(level[3m])
deriv(limit[1m])
deriv(level[5s])
predict_linear(level[1m], 60)
predict_linear(level[1m] offset 1m, 60)
irate(reset_total[20s])
irate(reset_total[3s])
irate(reset_total[1m] offset 90s)
increase(reset_total[5m] offset 1m)
increase(steady_total[20m])
rate(steady_total[20m])
delta(steady_total[20m])
rate(steady_total[10m])
rate(steady_total{pod="y"}[7m])
delta(level[1m])
idelta(level[1m])
rate(reset_total[1y])
sum(rate(reset_total[1m])) by (service) > 0.1
1 - level
2 ^ level
level ^ level
avg_over_time(level[10s:3s])
avg_over_time(level[1m:0s])
max_over_time(max_over_time(level[1m])[2m:30s])
max_over_time(sum(level)[2m:])
max_over_time(time()[2m:10s])
max_over_time(vector(1)[2m:10s])
avg_over_time(rate(steady_total[30s])[2m:10s] offset 30s)
avg_over_time((level offset 30s)[2m:10s] offset 30s)
sum_over_time(level[1m1s])
count_over_time(level[61s])
count_over_time(level[60s])
count_over_time(level[1m] offset 2s)
count_over_time(level[2500ms])
1 > 2
level > bool
level bool 1
level + bool 1
rate(level)
sum
sum()
foo(level)
level[1m]+1
abs(1)
vector(level)
time(1)
level offset
level[5]
level[1m
)
level level
1 +
"unterminated
level{service}
level{service="a"
level{service=a}
level and 1
1 or level
1 and 2
-'a'
sum('a')
sum(1)
topk(level)
topk(level, level)
topk("x", level)
(level)[1m]
level[1m][1m]
level[1m:10s][1m:10s]
level offset 1m offset 2m
level offset 1m [1m]
level on(service) level
level + on(service, level
level + group_left level
level and on(service) group_left level
level[1m] offset -1m
sum(level) by (service) by (pod)
sum by (service) (level) by (pod)
rate(level[1m:10s])
rate(sum(level)[1m])
label_replace(level, "a", "b", "c")
label_replace(level, a, "b", "c", "d")
round(level, 1, 2)
histogram_quantile(seconds_bucket, 0.5)
quantile_over_time(0.5, level)
scalar(1)
scalar(level[1m])
absent(1)
sort(1)
timestamp(1)
level == 1 == 1
1.5.2
1..2
.5
5.
1e
0x
0xg
1h
5m
level{service="a" service="b"}
INF
nan
time ()
sum  (  level  )  # comment
level # comment
# only
level:rule
a:b:c
level{service="\"a"}
level{service='a'}
level{service=`a`}
true
bool
by
on
ignoring
offset
group_left
offset + 1
sum_over_time(offset[1m])
and
on + on
stddev(level > 1)
stddev_over_time(limit[1m])
avg_over_time((level / 0)[1m:5s])
quantile_over_time(0.5, (level > 0)[1m:5s])
quantile_over_time(0.3, (0 / (level > 0))[1m:5s])
predict_linear((level > 0)[2m:10s] offset 1m, 30)
delta((reset_total > 60)[2m:5s])
idelta((level > 0)[2m:5s])
rate(reset_total[2m:15s])
rate((1e3 / level)[20s:7s] offset 2m)
sort(sqrt(level))
sort_desc(sqrt(-(level)))
1e3 / limit
level * 1e30
level * 1e-12
-(limit * 0)
increase(sum(steady_total)[3m:15s])
max_over_time((nothing)[1m:5s])
topk(2, level) by (service)
bottomk without (pod) (1, steady_total)
group(level)
group by (pod) (steady_total)
sgn(-level)
level and level offset 1m
(level or limit) and on(service) limit
level or vector(1)
vector(1) or level
"""
"""Answered, or refused, as Prometheus does it."""

REFUSED = r"""
level[5m:1m]
0X1f
count_values("x", limit)
level @ 123
level @ start()
SUM(level)
Sum by (service) (level)
level OFFSET 1m
level AND level
level Or level
level > BOOL 0
:level
level{"quoted"="x"}
"""
"""Prometheus answers these; the sandbox does not know them and says so."""
