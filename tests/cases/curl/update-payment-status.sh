curl -s -X POST -H "Authorization: Bearer $ACCESS_TOKEN" -H "Content-Type: application/json" \
  -d '{"is_paying":true}' -X POST \
  https://connect.reportei.com/customers/{$uuid}/update-payment-status
