# Reference values for scales: polychoric correlations, KMO, parallel analysis, exploratory and confirmatory factors.
# Data: psych's bfi; lavaan's HolzingerSwineford1939 (in Python: sem's HS.data, rescaled, with three cells as there).
# Run from the root: Rscript tests/reference/factors.R
# It writes factors.json beside itself.
suppressPackageStartupMessages({
  library(psych)
  library(lavaan)
  library(GPArotation)
  library(jsonlite)
})
data(bfi)
bfi$age_group <- paste0(bfi$gender, "_", bfi$age)
hs <- HolzingerSwineford1939
hs$block <- paste0(hs$school, hs$id %/% 7)
scales <- lapply(c(A = "A", C = "C", E = "E", N = "N", O = "O"), function(s) paste0(s, 1:5))
pairs <- combn(names(scales), 2, simplify = FALSE)

answered <- function(items) na.omit(bfi[, items])

polychoric_case <- function(items) {
  d <- answered(items)
  r <- lavCor(d, ordered = items)
  list(items = items, values = unclass(r)[lower.tri(r)])
}

adequacy_case <- function(items) {
  r <- cor(answered(items))
  k <- KMO(r)
  b <- cortest.bartlett(r, n = nrow(answered(items)))
  list(items = items, kmo = k$MSA, of_items = unname(k$MSAi), chi2 = b$chisq, df = b$df)
}

minres_case <- function(items, factors, rotation) {
  f <- suppressWarnings(fa(answered(items), factors, rotate = rotation, fm = "minres"))
  list(items = items, n_factors = factors, method = "minres", rotation = rotation, uniquenesses = unname(f$uniquenesses),
       loadings = unname(unclass(f$loadings)), chi2 = f$STATISTIC, df = f$dof, tli = f$TLI, rmsea = f$RMSEA[[1]])
}

ml_case <- function(items, factors, rotation) {
  f <- factanal(answered(items), factors, rotation = "none",
                control = list(opt = list(maxit = 5000, factr = 1, pgtol = 1e-12), nstart = 3))
  plain <- unclass(f$loadings)
  turned <- if (factors == 1) plain else if (rotation == "varimax") unclass(varimax(plain, eps = 1e-14)$loadings) else
    oblimin(plain, eps = 1e-6, maxit = 5000)$loadings
  list(items = items, n_factors = factors, method = "ml", rotation = rotation, uniquenesses = unname(f$uniquenesses),
       loadings = unname(as.matrix(turned)), chi2 = unname(f$STATISTIC), df = f$dof)
}

parallel_case <- function(items) {
  set.seed(1)
  pdf(NULL)
  f <- suppressMessages(suppressWarnings(fa.parallel(bfi[, items], plot = FALSE)))
  list(items = items, factor = f$fa.values, component = f$pc.values, n_factors = f$nfact, n_components = f$ncomp)
}

wanted <- c("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue", "srmr",
            "aic", "bic", "logl")
scaled <- c("chisq.scaled", "cfi.scaled", "tli.scaled", "rmsea.scaled")

cfa_case <- function(data, model, group = NULL, equal = "", cluster = NULL, std_lv = FALSE) {
  d <- if (data == "bfi") bfi else hs
  rows <- complete.cases(d[, c(lavNames(model, "ov"), group, cluster)])
  f <- suppressWarnings(cfa(model, d[rows, ], group = group, group.equal = equal, cluster = cluster, std.lv = std_lv))
  e <- parameterEstimates(f)
  m <- fitMeasures(f)
  if (is.null(e$group)) e$group <- 1
  e <- e[e$group > 0, ]
  list(data = data, model = model, group = group, equal = equal[equal != ""], cluster = cluster, std_lv = std_lv,
       measures = as.list(m[c(wanted, if (!is.null(cluster)) scaled)]),
       term = trimws(paste(e$lhs, ifelse(e$op == "~1", "~1", e$op), e$rhs)), group_number = e$group, estimate = e$est,
       std_error = e$se, standardised = standardizedSolution(f)$est.std[seq_len(nrow(e))])
}

one <- function(s, items = scales[[s]]) paste0(s, " =~ ", paste(items, collapse = " + "))
three <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
steps <- list("", "loadings", c("loadings", "intercepts"), c("loadings", "intercepts", "residuals"))

values <- list(
  polychoric = lapply(scales, polychoric_case),
  adequacy = lapply(c(scales, lapply(pairs, function(p) unlist(scales[p])), list(unlist(scales))),
                    function(i) adequacy_case(unname(i))),
  efa = c(lapply(scales, function(i) ml_case(i, 1, "none")),
          lapply(scales, function(i) minres_case(i, 1, "none")),
          lapply(pairs, function(p) ml_case(unname(unlist(scales[p])), 2, "varimax")),
          lapply(pairs[1:5], function(p) ml_case(unname(unlist(scales[p])), 2, "oblimin")),
          lapply(pairs[6:10], function(p) minres_case(unname(unlist(scales[p])), 2, "oblimin")),
          list(minres_case(unname(unlist(scales)), 5, "oblimin"), ml_case(unname(unlist(scales)), 5, "varimax"),
               ml_case(unname(unlist(scales)), 5, "oblimin"))),
  parallel = lapply(list(unname(unlist(scales)), unname(unlist(scales[1:3]))), parallel_case),
  cfa = c(lapply(names(scales), function(s) cfa_case("bfi", one(s))),
          lapply(names(scales), function(s) cfa_case("bfi", one(s), cluster = "age_group", std_lv = TRUE)),
          lapply(pairs, function(p) cfa_case("bfi", paste(one(p[1]), one(p[2]), sep = "\n"))),
          unlist(lapply(names(scales), function(s)
            lapply(steps, function(e) cfa_case("bfi", one(s), group = "gender", equal = e))), recursive = FALSE),
          lapply(steps, function(e) cfa_case("hs", three, group = "school", equal = e)),
          lapply(steps, function(e) cfa_case("hs", three, group = "school", equal = e, std_lv = TRUE)),
          lapply(steps, function(e) cfa_case("hs", three, group = "school", equal = e, cluster = "block")),
          list(cfa_case("hs", three), cfa_case("hs", three, std_lv = TRUE), cfa_case("hs", three, cluster = "block"),
               cfa_case("hs", paste0(three, "\nx7 ~~ x8\nvisual ~~ 0*speed")),
               cfa_case("hs", "visual =~ NA*x1 + a*x2 + a*x3 + x9\nvisual ~~ 1*visual\nspeed =~ x7 + 1*x8 + x9"),
               cfa_case("hs", paste0(three, "\nx1 ~ 1\nx2 ~ 2*1")))))
made <- sapply(c("psych", "lavaan", "GPArotation"), function(p) as.character(packageVersion(p)))
write(toJSON(c(list(made_with = c(list(R = R.version.string), as.list(made))), values), auto_unbox = TRUE, digits = 9,
             na = "null", null = "null", pretty = FALSE), "tests/reference/factors.json")
