# Everything runs in .venv, which is made when needed and made anew only when what it holds changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# One thread and one language, so that outputs come out the same everywhere they are compared.
test notebooks: export HTRESEARCH_LANGUAGE = zh
test notebooks: export HTRESEARCH_THREADS = 1
test notebooks: export OMP_NUM_THREADS = 1
test notebooks: export OPENBLAS_NUM_THREADS = 1
test notebooks: export MKL_NUM_THREADS = 1
test notebooks: export PYTHONHASHSEED = 0

.DEFAULT_GOAL := help
.PHONY: demo test lab reference notebooks clean help

help: ## 列出目标 · list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(READY) ## 走完全程，生成网站 · the whole way, from data to site
	$(BIN)/htresearch demo

test: $(READY) ## 检查代码，运行测试，核对笔记本 · check the code, run the tests, compare the notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -n 2
	$(BIN)/python -m pytest -n 2 --dist loadscope --nbval --nbval-current-env notebooks

lab: $(READY) ## 在 JupyterLab 中打开笔记本 · open the notebooks in JupyterLab
	$(BIN)/htresearch lab

notebooks: $(READY) ## 重新运行笔记本并写回输出 · run the notebooks and write their outputs back
	$(BIN)/htresearch publish --refresh notebooks

reference: ## 用 R 重新计算对照值 · compute the reference values anew, with R
	@command -v Rscript >/dev/null 2>&1 || { echo "需要 R（Rscript） · R (Rscript) is needed" >&2; exit 1; }
	@set -e; for script in tests/reference/*.R; do echo "$$script"; Rscript --vanilla "$$script"; done

clean: ## 删除生成的文件 · remove what was made
	rm -rf $(VENV) site .site-runs build dist .pytest_cache .ruff_cache .hypothesis *.failed.ipynb
	find src tests notebooks \( -name __pycache__ -o -name .ipynb_checkpoints -o -name '*.egg-info' \) -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { echo "找不到 $(PYTHON)，请安装 Python 3.11 以上 · $(PYTHON) not found: install Python 3.11 or later" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 以上：make PYTHON=python3.11 · Python 3.11 or later is needed: make PYTHON=python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "缺少 venv 模块，请安装 python3-venv · the venv module is missing: install python3-venv" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e ".[all]"
	@touch $@
