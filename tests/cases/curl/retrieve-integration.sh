curl http://localhost:3500/api/v1/integrations/1 \
  -d api_key=test_key
