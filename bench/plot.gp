# SPDX-License-Identifier: BSD-3-Clause

# Draws what bench/run has measured: gnuplot plot.gp, in the folder with the
# results. Only the pictures of which there are data are drawn.

set terminal pngcairo size 1500,1800 font "sans,11"
set output "bench.png"
set datafile separator "\t"
set datafile missing "-"
set style data histogram
set style fill solid 0.8 noborder
set grid ytics
set key outside right
set multiplot layout 4,1

is_there(file) = int(system("test -s ".file." && echo 1 || echo 0"))

if (is_there("per_login.tsv")) {
    set title "One login in one process, connection kept"
    set ylabel "microseconds"
    set logscale y
    set xtics rotate by -40 scale 0
    plot for [column = 2:4] "per_login.tsv" using column:xtic(1) title columnheader(column)
    unset logscale y
}

if (is_there("startup.tsv")) {
    set title "Start of a process"
    set ylabel "milliseconds"
    set y2label "private kB"
    set y2tics
    set xtics rotate by -15 scale 0
    set yrange [0:*]
    set y2range [0:*]
    plot "startup.tsv" using 2:xtic(1) title columnheader(2), \
        "" using 3 axes x1y2 title columnheader(3)
    unset y2tics
    unset y2label
    set yrange [*:*]
}

if (is_there("postfix.tsv")) {
    set title "Through Postfix"
    set ylabel "logins a second"
    set xtics rotate by -25 scale 0
    plot for [column = 2:4] "postfix.tsv" using column:xtic(1) \
        title columnheader(column)." connections"
}

if (is_there("scale.tsv")) {
    set title "Large tables, processor shared with the server"
    set yrange [0:*]
    set ylabel "microseconds a login"
    set xlabel "rows"
    set logscale x
    set xtics norotate auto
    engines = "pgsql mysql sqlite3"
    plot for [i = 1:3] "scale.tsv" using (strcol(1) eq word(engines, i) ? $2 : NaN):3 \
        with linespoints linecolor i title word(engines, i), \
        for [i = 1:3] "scale.tsv" using (strcol(1) eq word(engines, i) ? $2 : NaN):4 \
        with lines dashtype 2 linecolor i title word(engines, i).", floor"
}

unset multiplot
